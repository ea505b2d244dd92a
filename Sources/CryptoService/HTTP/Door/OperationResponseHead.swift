import Glibc
import NIOCore

/// Writes whole responses, their heads included, in one buffer. Every answer of an operation has the same few headers.
struct OperationResponseHead {
    /// The connection ends with this response.
    var isLast = false
    private var date = HTTPDate()

    mutating func response(_ outcome: OperationOutcome, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let body: ByteBuffer
        var buffer: ByteBuffer
        switch outcome {
        case .done(let json):
            body = json
            buffer = allocator.buffer(capacity: 192 + body.readableBytes)
            buffer.writeStaticString("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        case .problem(let problem):
            body = problem.body
            buffer = allocator.buffer(capacity: 320 + body.readableBytes)
            buffer.writeString("HTTP/1.1 \(problem.status) \(Self.reason(problem.status))\r\n")
            buffer.writeStaticString("content-type: application/problem+json\r\n")
            if problem.status == 401 { buffer.writeStaticString("www-authenticate: Bearer\r\n") }
            switch problem.header {
            case .allow(let methods): buffer.writeString("allow: \(methods)\r\n")
            case .retryAfter(let seconds): buffer.writeString("retry-after: \(seconds)\r\n")
            case nil: break
            }
        }
        if isLast { buffer.writeStaticString("connection: close\r\n") }
        buffer.writeStaticString("cache-control: no-store\r\ndate: ")
        buffer.writeString(date.text())
        buffer.writeStaticString("\r\ncontent-length: ")
        buffer.writeString(String(body.readableBytes))
        buffer.writeStaticString("\r\n\r\n")
        buffer.writeImmutableBuffer(body)
        return buffer
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 406: "Not Acceptable"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Internal Server Error"
        }
    }
}

/// The time in the form of RFC 9110 §5.6.7, made anew once a second.
struct HTTPDate {
    private var second: Int64 = -1
    private var written = ""

    mutating func text() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now)
        let present = Int64(now.tv_sec)
        if present != second {
            second = present
            written = Self.text(present)
        }
        return written
    }

    /// Of seconds since 1970 (days to date: Howard Hinnant's algorithm for the proleptic Gregorian calendar).
    static func text(_ seconds: Int64) -> String {
        let days = seconds / 86_400
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * part + 2) / 5 + 1
        let month = part < 10 ? part + 3 : part - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7)]
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
        let clock = "\(two(seconds % 86_400 / 3_600)):\(two(seconds % 3_600 / 60)):\(two(seconds % 60))"
        return "\(weekday), \(two(day)) \(names[Int(month) - 1]) \(year) \(clock) GMT"
    }
}
