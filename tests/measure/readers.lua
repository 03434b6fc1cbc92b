-- What wrk sends for `make bench`: each reader of a file in turn, a header line or several each, with tabs between; and what it
-- found, as one line of JSON.
--
--   wrk -s readers.lua URL -- FILE PATH

local requests, at = {}, 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        local headers = {}
        for name, value in line:gmatch("([^:\t]+): ([^\t]*)") do headers[name] = value end
        requests[#requests + 1] = wrk.format("GET", arguments[2], headers)
    end
    at = math.random(#requests)
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('{"requests":%d,"us":%d,"errors":%d,"p50":%d,"p99":%d,"p999":%d}\n', summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
