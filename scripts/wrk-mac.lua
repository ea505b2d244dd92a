-- The request of the row mac-http, for wrk: POST of one JSON body with the client's token. The token comes from a file and not
-- from the command line, where everybody could read it. The same bytes every time: nothing of Lua runs while it measures.
local token = assert(io.open(os.getenv("KMSD_BENCH_TOKEN"))):read("*l")
wrk.method = "POST"
wrk.body = os.getenv("KMSD_BENCH_BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. token
