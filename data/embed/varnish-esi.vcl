# Without JavaScript: Varnish pastes the fragment into each page that says, once and where the placeholder is,
#
#     <esi:include src="/widget"/>
#
# Prefer the script where you can. Varnish obeys every <esi:include> and <!--esi --> in a page, whoever wrote it, and would paste
# any page of the site into another: nothing that visitors write may hold one. WordPress keeps such comments of theirs: give it
# the plugin (wordpress/).
#
# Varnish keeps the page as your site sent it, and asks for the fragment anew for each reader. An assembled page is one
# reader's: all HTML leaves as private, and without anything by which a cache could recognise it. A cache that ignores
# `private` must not stand in front; there, use the script.
vcl 4.1;

backend site { .host = "127.0.0.1"; .port = "8000"; }       # your pages; the first is the default

backend masthead {
    .host = "127.0.0.1"; .port = "8080";
    .connect_timeout = 0.5s;                                # a page waits no longer than both together
    .first_byte_timeout = 1s;
    .between_bytes_timeout = 0.5s;
}

sub vcl_recv {
    if (req.url ~ "^/(widget(\.json|\.txt)?|where\.json|weather\.json|places\.json|masthead\.[a-z0-9.]+)(\?|$)") {
        set req.backend_hint = masthead;
        set req.http.X-Forwarded-For = client.ip;           # not appended to what a stranger claims
        unset req.http.Cookie;                              # the service needs none, and refuses very long ones
    }
    if (req.url ~ "^/(widget(\.json|\.txt)?|where\.json)(\?|$)") {
        return (pass);                                      # one reader's
    }
}

sub vcl_backend_response {
    if (bereq.backend == masthead) {
        set beresp.do_stream = false;                       # the whole answer or none
        if (beresp.status != 200 && bereq.url ~ "^/widget(\?|$)") {
            return (error(503));                            # its text must not be pasted
        }
    } else if (beresp.http.Content-Type ~ "(?i)^text/html" && bereq.url !~ "^/wp-(admin|login)") {
        set beresp.do_esi = true;
    }
}

sub vcl_backend_error {
    if (bereq.backend == masthead && bereq.url ~ "^/widget(\?|$)") {
        set beresp.status = 200;
        set beresp.http.Content-Type = "text/html; charset=utf-8";
        set beresp.body = {"<span class="masthead-weather" data-state="unavailable">-- °C</span>"};
        return (deliver);
    }
}

sub vcl_deliver {
    if (req.backend_hint == site && resp.http.Content-Type ~ "(?i)^text/html") {
        set resp.http.Cache-Control = "private, no-cache";
        unset resp.http.ETag;
        unset resp.http.Last-Modified;
        unset resp.http.Expires;
        unset resp.http.Age;
    }
}
