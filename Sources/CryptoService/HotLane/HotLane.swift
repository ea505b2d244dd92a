import CryptoClient
import NIOCore

// The commonest requests on their short way: from the bytes of the read straight into the message to the module.
//
// It takes a frame only where everything about it is usual: a form that `HotRequest` knows, a key that this client has used
// for the operation before, whose grants, state and dates were looked at in this tick of the loop's clock (a new picture of the
// directory begins another), and which is open in the module. Whatever is left goes the other way (`HostLoop.take`), which alone
// opens keys and refuses. Answers, counts and limits are the same for both.
extension HostLoop {
    /// Takes frames from the front of what a connection has received, until one is none of its or `room` requests wait; answers
    /// how many bytes it has taken.
    @unsafe func takeHotFrames(
        _ bytes: UnsafeRawBufferPointer, _ connection: HostConnection, _ pending: inout PendingAnswers, room: Int,
        arrived: UInt64
    ) -> Int {
        guard let hot, hot.isConnected, !hot.isFull, pending.headerLength <= PendingAnswers.shortHeader,
            let start = bytes.baseAddress
        else { return 0 }
        let headerLength = pending.headerLength
        let headerMask = headerLength == 8 ? UInt64.max : 1 << UInt64(8 * headerLength) - 1
        lookIfDirectoryChanged()
        let tick = tick
        return hot.gather { message, runs in
            var offset = 0
            var taken = 0
            var key = connection.lastKey
            if key?.tick != tick || key?.handle == 0 { key = nil }
            var run: ModuleRun?
            while pending.count < room, message.count < ModuleChannel.itemLimit,
                message.byteCount < ModuleChannel.byteLimit, bytes.count - offset >= 2
            {
                let length = unsafe Int(UInt16(bigEndian: (start + offset).loadUnaligned(as: UInt16.self)))
                guard length <= settings.frameLimit, bytes.count - offset - 2 >= length else { break }
                let header = unsafe start + offset + 2
                let body = unsafe header + headerLength
                guard let request = unsafe HotRequest(body, count: length - headerLength) else { break }
                let field = unsafe UnsafeRawBufferPointer(start: body + request.keyStart, count: request.keyCount)
                let isSame = key.map { unsafe $0.isFor(field, request.operation) } ?? false
                if !isSame {
                    guard let found = unsafe connection.keys.readyEntry(field, request.operation, tick: tick) else {
                        break
                    }
                    if let run { runs.append(run) }
                    run = nil
                    key = found
                }
                guard let entry = key,
                    unsafe message.appendItem(
                        capacity: request.itemCapacity, { unsafe request.write(body, handle: entry.handle, into: $0) })
                else { break }
                if run == nil {
                    run = ModuleRun(
                        purpose: .answer(.connection(connection, sequence: pending.next)), shape: request.shape,
                        key: entry, isRetry: false, count: 0)
                }
                run?.count += 1
                // The header's bytes and what follows them: a frame of the lane is longer than eight.
                pending.append(
                    header: unsafe UInt64(littleEndian: header.loadUnaligned(as: UInt64.self)) & headerMask,
                    command: unsafe UInt16(bigEndian: body.loadUnaligned(as: UInt16.self)), arrived: arrived)
                offset += 2 + length
                taken += 1
            }
            if let run { runs.append(run) }
            meter.keyHits(taken)
            connection.lastKey = key
            return offset
        }
    }
}
