/* Every transfer has an easy handle of its own: where a server closes an idle connection as it is asked,
 * libcurl asks again by itself, but 7.88 does so on a new handle only. The multi handle keeps connections all
 * the same. The requests of a redirect share a handle, so that is done here, too; see repeat. */
#include "transfer/transfer.h"

#include "base/clock.h"
#include "base/log.h"

#include <ctype.h>
#include <curl/curl.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_SHARE   2 /* connecting may take this part of the timeout */
#define REDIRECTS_MAX   2
#define HEAD_BYTES_MAX  ((size_t)100 << 10)
#define RETRY_AFTER_MAX INT32_MAX
#define CONDITION       "If-Modified-Since: "
#define METHOD          "GET "
#define RANGE_BYTES     48

/* Of all that a transfer may receive, in bytes as they came: heads, trailers, interim answers, the bodies of
 * redirects, chunks' frames. It comes before libcurl's own bounds (300 KiB of a head but any trailer in 7.88,
 * 5,000 lines of both in 8.14), unless lines are very short. */
#define RECEIVED_MAX(options) (HEAD_BYTES_MAX + 2 * (options)->body_bytes)

struct transfer {
    struct transfers *set;
    CURL *handle; /* NULL: free */
    struct curl_slist *headers;
    char url[TRANSFER_URL_BYTES]; /* as it was started */
    size_t received;              /* bytes, by all of its requests */
    size_t received_before;       /* the present one */
    size_t redirects;
    bool partial; /* a range of bytes was asked for */
    bool repeated, too_large;
    int64_t started_ms; /* monotonic */
    struct transfer_answer answer;
    char *body; /* options.body_bytes */
};

struct transfers {
    struct transfer_options options;
    CURLM *multi;
    struct transfer *finished; /* whose answer the caller has */
    struct transfer slots[TRANSFER_PARALLEL_MAX];
    char *bodies;
};

static bool is_whole(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

/* Counts before storing: neither MAXFILESIZE nor Content-Length bounds what a server sends. Returning 0 ends
 * the transfer. */
static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    transfer->too_large = length > transfer->set->options.body_bytes - transfer->answer.length ||
                          (transfer->partial && is_whole(transfer));
    if (transfer->too_large)
        return 0;
    memcpy(transfer->body + transfer->answer.length, bytes, length);
    transfer->answer.length += length;
    return length;
}

/* libcurl keeps header and trailer lines, until this returns 0. */
static size_t receive_line(char *bytes, size_t size, size_t count, void *context)
{
    const struct transfer *transfer = context;
    (void)bytes;
    return transfer->too_large ? 0 : size * count;
}

/* Sees all bytes that are sent and received, also those that no other callback gets: a chunk's extension, or
 * what decodes to nothing. */
static int count_bytes(CURL *handle, curl_infotype kind, char *bytes, size_t length, void *context)
{
    struct transfer *transfer = context;
    (void)handle;
    if (kind == CURLINFO_HEADER_OUT && length >= strlen(METHOD) && memcmp(bytes, METHOD, strlen(METHOD)) == 0)
        transfer->answer.requests++;
    if (kind == CURLINFO_HEADER_IN || kind == CURLINFO_DATA_IN)
        transfer->received += length;
    if (transfer->received > RECEIVED_MAX(&transfer->set->options))
        transfer->too_large = true;
    return 0;
}

/* Ends a transfer that has received too much; libcurl asks all the time. */
static int is_too_large(void *context, curl_off_t all_in, curl_off_t in, curl_off_t all_out, curl_off_t out)
{
    const struct transfer *transfer = context;
    (void)all_in, (void)in, (void)all_out, (void)out;
    return transfer->too_large;
}

/* Sets what holds for every request; see curl_easy_setopt(3). */
static void set_options(struct transfer *transfer, const struct transfer_options *options)
{
    CURL *h = transfer->handle;
    curl_easy_setopt(h, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, receive_line);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(h, CURLOPT_VERBOSE, 1L); /* or nothing is counted */
    curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, count_bytes);
    curl_easy_setopt(h, CURLOPT_DEBUGDATA, transfer);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, is_too_large);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    /* Else a silent name server blocks the thread for ten seconds. */
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, options->user_agent);
    curl_easy_setopt(h, CURLOPT_PROXY, options->proxy); /* "" also overrides the environment's */
    curl_easy_setopt(h, CURLOPT_NOPROXY, "");
}

static void add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    transfer->headers = longer ? longer : transfer->headers;
}

static void release(struct transfer *transfer)
{
    if (!transfer->handle)
        return;
    curl_multi_remove_handle(transfer->set->multi, transfer->handle);
    curl_easy_cleanup(transfer->handle);
    curl_slist_free_all(transfer->headers);
    transfer->handle = NULL;
    transfer->headers = NULL;
}

/* Sends a request, the first, one that follows a redirect, or one again, within what is left of the time. */
static bool send_request(struct transfer *transfer, const char *url)
{
    const struct transfer_options *options = &transfer->set->options;
    int64_t left_ms = transfer->started_ms + options->timeout_ms - clock_monotonic_ms();
    transfer->answer.length = 0;
    transfer->received_before = transfer->received;
    curl_easy_setopt(transfer->handle, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
    curl_easy_setopt(transfer->handle, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(options->timeout_ms / CONNECT_SHARE));
    curl_easy_setopt(transfer->handle, CURLOPT_PROTOCOLS_STR,
                     strncmp(url, "http:", 5) == 0 ? "http" : "https");
    return curl_easy_setopt(transfer->handle, CURLOPT_URL, url) == CURLE_OK &&
           curl_multi_add_handle(transfer->set->multi, transfer->handle) == CURLM_OK;
}

static void release_finished(struct transfers *set)
{
    if (set->finished)
        release(set->finished);
    set->finished = NULL;
}

/* Sets what the request has beyond others. */
static void set_request(struct transfer *transfer, const struct transfer_request *request)
{
    char condition[sizeof CONDITION + CLOCK_HTTP_BYTES] = CONDITION, range[RANGE_BYTES];
    transfer->partial = request->last > 0;
    if (request->header && request->header[0])
        add_header(transfer, request->header);
    if (request->modified_s > 0) {
        clock_format_http(request->modified_s, condition + sizeof CONDITION - 1);
        add_header(transfer, condition);
    }
    set_options(transfer, &transfer->set->options);
    if (transfer->partial) { /* of the file's own bytes */
        snprintf(range, sizeof range, "%jd-%jd", (intmax_t)request->first, (intmax_t)request->last);
        curl_easy_setopt(transfer->handle, CURLOPT_RANGE, range);
        curl_easy_setopt(transfer->handle, CURLOPT_ACCEPT_ENCODING, NULL);
    }
}

bool transfers_start(struct transfers *set, const struct transfer_request *request)
{
    size_t i = 0;
    release_finished(set);
    while (i < set->options.parallel && set->slots[i].handle)
        i++;
    struct transfer *transfer = &set->slots[i];
    if (i == set->options.parallel || strlen(request->url) >= sizeof transfer->url ||
        !(transfer->handle = curl_easy_init()))
        return false;
    strcpy(transfer->url, request->url);
    transfer->received = transfer->redirects = 0;
    transfer->repeated = transfer->too_large = false;
    transfer->started_ms = clock_monotonic_ms();
    transfer->answer = (struct transfer_answer){.tag = request->tag, .body = transfer->body};
    set_request(transfer, request);
    bool started = send_request(transfer, request->url);
    if (!started)
        release(transfer);
    return started;
}

static bool get_part(const char *url, CURLUPart part, char *out, size_t size)
{
    CURLU *parsed = curl_url();
    char *text = NULL;
    bool ok = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, part, &text, 0) == CURLUE_OK && strlen(text) < size;
    if (ok)
        strcpy(out, text);
    for (char *c = out; ok && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    curl_free(text);
    curl_url_cleanup(parsed);
    return ok;
}

/* Whether two names are of one registered domain, by the public suffix list; addresses are only of
 * themselves. */
static bool same_registered_domain(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    const psl_ctx_t *list = psl_builtin();
    bool is_address = a[strspn(a, "0123456789.")] == '\0' || strchr(a, ':');
    const char *domain_a = list && !is_address ? psl_registrable_domain(list, a) : NULL;
    const char *domain_b = list ? psl_registrable_domain(list, b) : NULL;
    return domain_a && domain_b && strcmp(domain_a, domain_b) == 0;
}

static bool may_follow(const char *from, const char *to)
{
    char schemes[2][8], hosts[2][256];
    if (!get_part(from, CURLUPART_SCHEME, schemes[0], sizeof schemes[0]) ||
        !get_part(to, CURLUPART_SCHEME, schemes[1], sizeof schemes[1]) ||
        !get_part(from, CURLUPART_HOST, hosts[0], sizeof hosts[0]) ||
        !get_part(to, CURLUPART_HOST, hosts[1], sizeof hosts[1]))
        return false;
    bool plain = strcmp(schemes[1], "http") == 0;
    return plain ? strcmp(schemes[0], "http") == 0 && strcmp(hosts[0], hosts[1]) == 0
                 : strcmp(schemes[1], "https") == 0 && same_registered_domain(hosts[0], hosts[1]);
}

/* Sends another request by the same transfer. */
static bool send_another(struct transfer *transfer, const char *location)
{
    char *url = strdup(location); /* libcurl's own ends with the handle's next request */
    curl_multi_remove_handle(transfer->set->multi, transfer->handle);
    bool sent = url && send_request(transfer, url);
    free(url);
    return sent;
}

/* Whether the answer was a redirect that is now being followed. */
static bool follow(struct transfer *transfer)
{
    static const int followed[] = {301, 302, 303, 307, 308};
    char *location = NULL;
    bool redirect = false;
    for (size_t i = 0; i < sizeof followed / sizeof followed[0]; i++)
        redirect = redirect || transfer->answer.status == followed[i];
    if (!redirect || transfer->redirects == REDIRECTS_MAX ||
        curl_easy_getinfo(transfer->handle, CURLINFO_REDIRECT_URL, &location) != CURLE_OK || !location ||
        !may_follow(transfer->url, location))
        return false;
    transfer->redirects++;
    return send_another(transfer, location);
}

/* Whether a request met the end of an idle connection, and is now being sent again, once and on a new one. */
static bool repeat(struct transfer *transfer, CURLcode code)
{
    char *url = NULL;
    long connected = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_NUM_CONNECTS, &connected);
    curl_easy_getinfo(transfer->handle, CURLINFO_EFFECTIVE_URL, &url);
    if ((code != CURLE_GOT_NOTHING && code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR) ||
        connected > 0 || transfer->repeated || transfer->received > transfer->received_before || !url)
        return false;
    transfer->repeated = true;
    curl_easy_setopt(transfer->handle, CURLOPT_FRESH_CONNECT, 1L);
    return send_another(transfer, url);
}

static enum transfer_end end_of(const struct transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return TRANSFER_CONNECT;
    default:
        return transfer->too_large ? TRANSFER_TOO_LARGE : TRANSFER_BROKEN;
    }
}

static const char *field(const struct transfer *transfer, const char *name)
{
    struct curl_header *header;
    return curl_easy_header(transfer->handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                               : "";
}

static int64_t date_of(const char *text)
{
    int64_t unix_s = curl_getdate(text, NULL);
    return unix_s > 0 ? unix_s : 0;
}

/* libcurl's own reading of Retry-After is cut to six hours from version 8 on. */
static int64_t retry_after_s(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    int64_t s = 0;
    if (digits > 0 && text[digits] == '\0')
        s = digits < 10 ? strtoll(text, NULL, 10) : RETRY_AFTER_MAX;
    else if (date_of(text) > 0)
        s = date_of(text) - clock_now().wall_ms / 1000;
    return s > 0 ? s : 0;
}

static void fill_answer(struct transfer *transfer, CURLcode code)
{
    struct transfer_answer *answer = &transfer->answer;
    char again[CLOCK_HTTP_BYTES];
    answer->end = end_of(transfer, code);
    answer->received = transfer->received;
    answer->error = code == CURLE_OK ? "" : curl_easy_strerror(code);
    answer->expires_s = date_of(field(transfer, "Expires"));
    answer->last_modified_s = date_of(field(transfer, "Last-Modified"));
    answer->retry_after_s = retry_after_s(field(transfer, "Retry-After"));
    clock_format_http(answer->last_modified_s, again);
    if (strcmp(again, field(transfer, "Last-Modified")) != 0)
        answer->last_modified_s = 0;
}

/* Takes note of a message of libcurl's. The transfer that is finished by it; NULL while it goes on. */
static struct transfer *handle_message(const CURLMsg *message)
{
    CURLcode code = message->data.result;
    struct transfer *transfer;
    long status = 0;
    curl_off_t taken_us = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->handle, CURLINFO_TOTAL_TIME_T, &taken_us);
    transfer->answer.status = (int)status;
    transfer->answer.taken_us += taken_us;
    if (code == CURLE_OK ? follow(transfer) : repeat(transfer, code))
        return NULL;
    fill_answer(transfer, code);
    return transfer;
}

/* Does what can be done without waiting. A request that is sent by a message needs another round. */
static struct transfer *progress(struct transfers *set)
{
    struct transfer *finished = NULL;
    bool sent = true;
    while (sent && !finished) {
        const CURLMsg *message;
        int count;
        sent = false;
        curl_multi_perform(set->multi, &count);
        while (!finished && (message = curl_multi_info_read(set->multi, &count))) {
            finished = message->msg == CURLMSG_DONE ? handle_message(message) : NULL;
            sent = sent || !finished;
        }
    }
    return finished;
}

const struct transfer_answer *transfers_wait(struct transfers *set, int wait_ms)
{
    release_finished(set);
    set->finished = progress(set);
    if (!set->finished) {
        curl_multi_poll(set->multi, NULL, 0, wait_ms, NULL);
        set->finished = progress(set);
    }
    return set->finished ? &set->finished->answer : NULL;
}

void transfers_wake(struct transfers *set)
{
    curl_multi_wakeup(set->multi);
}

struct transfers *transfers_open(const struct transfer_options *options)
{
    bool initialized = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    struct transfers *set = initialized ? calloc(1, sizeof *set) : NULL;
    if (set) {
        set->options = *options;
        set->multi = curl_multi_init();
        set->bodies = malloc(options->parallel * options->body_bytes);
    }
    if (!set || !set->multi || !set->bodies) {
        log_line(LOG_ERROR, "cannot prepare for transfers");
        if (initialized && !set)
            curl_global_cleanup();
        transfers_close(set);
        return NULL;
    }
    for (size_t i = 0; i < options->parallel; i++) {
        set->slots[i].set = set;
        set->slots[i].body = set->bodies + i * options->body_bytes;
    }
    return set;
}

void transfers_close(struct transfers *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->options.parallel; i++)
        release(&set->slots[i]);
    curl_multi_cleanup(set->multi);
    curl_global_cleanup();
    free(set->bodies);
    free(set);
}
