/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of HTTP. libcurl does the protocol; here is what a request of ours looks like
 * and what of an answer is kept.
 */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define YANG_JSON "application/yang-data+json"

struct http {
    CURL *curl;
    struct curl_slist *headers;
    char *socket;
};

struct transfer {
    struct http *http;
    struct http_response *response;
    bool (*take)(const char *, size_t, void *);
    void *arg;
    bool ended; /* take() had enough */
};

static volatile sig_atomic_t interrupted;
static int interrupt_pipe[2] = {
    -1, -1}; /* a byte for each signal, so that none falls between two calls */

static void on_interrupt(int signal)
{
    int saved = errno;

    interrupted = 1;
    if (write(interrupt_pipe[1], "", 1) < 0) {
        /* full: it is readable already */
    }
    errno = saved;
}

void http_catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART: reads return */

    if (pipe2(interrupt_pipe, O_CLOEXEC | O_NONBLOCK))
        return; /* then a signal ends the program */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool http_interrupted(void)
{
    return interrupted;
}

void http_clear_interrupt(void)
{
    char bytes[16];

    interrupted = 0;
    while (read(interrupt_pipe[0], bytes, sizeof(bytes)) > 0)
        continue;
}

int http_interrupt_fd(void)
{
    return interrupt_pipe[0];
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    long status = 0;

    curl_easy_getinfo(transfer->http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!transfer->take || status < 200 || status > 299) {
        text_add(&transfer->response->body, bytes, size * count);
    } else if (!transfer->take(bytes, size * count, transfer->arg)) {
        transfer->ended = true;
        return 0;
    }
    return size * count;
}

/* RFC 8288: <target>; rel="next" */
static void take_link(struct text *next, const char *value, size_t length)
{
    const char *open = memchr(value, '<', length);
    const char *close = open ? memchr(open, '>', length - (size_t)(open - value)) : NULL;

    if (!close || !memmem(close, length - (size_t)(close - value), "next", 4))
        return;
    text_cut(next, 0);
    text_add(next, open + 1, (size_t)(close - open - 1));
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t length = size * count;

    if (length > 5 && !strncasecmp(bytes, "Link:", 5)) {
        take_link(&transfer->response->next, bytes + 5, length - 5);
    } else if (length > 5 && !strncasecmp(bytes, "ETag:", 5)) {
        size_t start = 5;

        while (start < length && strchr(" \t", bytes[start]))
            start++;
        while (length > start && strchr(" \t\r\n", bytes[length - 1]))
            length--;
        text_cut(&transfer->response->etag, 0);
        text_add(&transfer->response->etag, bytes + start, length - start);
    }
    return size * count;
}

static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                       curl_off_t ulnow)
{
    return interrupted;
}

struct http *http_new(const char *socket)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http)
        return NULL;
    curl_global_init(CURL_GLOBAL_NOTHING);
    http->curl = curl_easy_init();
    http->socket = copy_string(socket);
    http->headers = curl_slist_append(NULL, "Accept: " YANG_JSON ", */*;q=0.5");
    http->headers = curl_slist_append(http->headers, "Content-Type: " YANG_JSON);
    http->headers = curl_slist_append(http->headers, "Expect:");
    if (http->curl && http->headers)
        return http;
    http_free(http);
    return NULL;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    curl_global_cleanup();
    free(http->socket);
    free(http);
}

const char *http_socket(const struct http *http)
{
    return http->socket;
}

static void prepare(struct http *http, const char *method, const char *url, const char *body,
                    struct transfer *transfer)
{
    CURL *curl = http->curl;

    curl_easy_reset(curl); /* options only: the connection stays */
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    if (strcmp(method, "GET"))
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static int perform(struct transfer *transfer, const char *method, const char *target,
                   const char *body)
{
    struct http *http = transfer->http;
    struct text url = {0};
    long os_errno = 0;
    CURLcode code;

    text_printf(&url, "http://localhost%s", target);
    prepare(http, method, url.s, body, transfer);
    code = curl_easy_perform(http->curl);
    text_free(&url);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &transfer->response->status);
    curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_OK || transfer->ended)
        return 0;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return -EINTR;
    if (code == CURLE_OUT_OF_MEMORY)
        return -ENOMEM;
    if (code == CURLE_COULDNT_CONNECT && os_errno)
        return (int)-os_errno;
    return code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -ECONNRESET;
}

int http_request(struct http *http, const char *method, const char *target, const char *body,
                 struct http_response *response)
{
    struct transfer transfer = {.http = http, .response = response};

    *response = (struct http_response){0};
    return perform(&transfer, method, target, body);
}

int http_stream(struct http *http, const char *target, bool (*take)(const char *, size_t, void *),
                void *arg, struct http_response *response)
{
    struct transfer transfer = {.http = http, .response = response, .take = take, .arg = arg};
    int rc;

    *response = (struct http_response){0};
    rc = perform(&transfer, "GET", target, NULL);
    return rc == -EINTR ? 0 : rc;
}

void http_response_free(struct http_response *response)
{
    text_free(&response->body);
    text_free(&response->next);
    text_free(&response->etag);
}
