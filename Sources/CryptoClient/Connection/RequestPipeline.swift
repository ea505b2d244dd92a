import NIOCore

/// The client's end of the wire: numbers requests, sends them in bunches, and hands each answer to the oldest request.
///
/// Lives on the connection's event loop. Whatever goes wrong with the stream ends the connection and every request on it:
/// after a lost or foreign answer no later one could be trusted to belong to its request.
final class RequestPipeline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Outcome = Result<HostReply, CryptoClientError>

    struct Request: Sendable {
        let command: HostCommandCode
        let body: ByteBuffer
        let trailerLength: Int?
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private struct InFlight {
        let request: Request
        let sequence: UInt64
        let deadline: NIODeadline
    }

    private let settings: CryptoConnection.Settings
    private var stream: HostFrameStream
    private var inFlight = CircularBuffer<InFlight>()
    private var waiting = CircularBuffer<Request>()
    private var sequence: UInt64 = 0
    private var outgoing = ByteBuffer()
    private var flushIsDue = false
    private var timerIsRunning = false
    private var context: ChannelHandlerContext?

    init(_ settings: CryptoConnection.Settings) {
        self.settings = settings
        stream = HostFrameStream(HostFrameFormat(headerLength: settings.headerLength))
    }

    /// Takes a request in; its continuation is resumed exactly once, whatever happens.
    func submit(_ request: Request) {
        guard let context, context.channel.isActive else {
            request.continuation.resume(returning: .failure(.closed))
            return
        }
        let length = stream.format.headerLength + 2 + request.body.readableBytes
        guard length <= HostFrameFormat.largestLength else {
            request.continuation.resume(returning: .failure(.requestTooLong(length)))
            return
        }
        guard inFlight.count >= settings.maximumInFlight || !waiting.isEmpty else {
            send(request, context)
            return
        }
        guard waiting.count < settings.maximumWaiting else {
            request.continuation.resume(returning: .failure(.busy))
            return
        }
        waiting.append(request)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(with: .closed)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        stream.receive(unwrapInboundIn(data))
        do throws(FrameError) {
            while let frame = try stream.next() {
                guard take(frame) else {
                    end(context, with: .outOfStep)
                    return
                }
            }
        } catch {
            end(context, with: .malformedFrame(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        while inFlight.count < settings.maximumInFlight, let next = waiting.popFirst() {
            send(next, context)
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        do throws(FrameError) {
            try stream.end()
            fail(with: .closed)
        } catch {
            fail(with: .malformedFrame(error))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, with: .closed)
    }

    private func send(_ request: Request, _ context: ChannelHandlerContext) {
        let length = stream.format.headerLength + 2 + request.body.readableBytes
        outgoing.writeInteger(UInt16(length))
        outgoing.writeSequence(sequence, length: stream.format.headerLength)
        outgoing.writeInteger(request.command.rawValue)
        outgoing.writeBytes(of: request.body)
        let deadline = NIODeadline.now() + TimeAmount(settings.replyTimeout)
        inFlight.append(InFlight(request: request, sequence: sequence, deadline: deadline))
        sequence &+= 1
        startTimer(context, at: deadline)
        guard !flushIsDue else { return }
        flushIsDue = true
        // Behind the tasks that are due in this turn: requests made at the same time leave in one write.
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.flush() }
    }

    private func flush() {
        flushIsDue = false
        guard let context, outgoing.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        outgoing = ByteBuffer()
    }

    /// Gives an answer to the oldest request; false when it is not that request's.
    private func take(_ frame: HostFrame) -> Bool {
        guard let oldest = inFlight.first, frame.command == oldest.request.command.reply,
            frame.header.isSequence(oldest.sequence)
        else { return false }
        inFlight.removeFirst()
        let outcome: Outcome
        do throws(FieldError) {
            outcome = .success(try HostReply(frame, trailerLength: oldest.request.trailerLength))
        } catch {
            outcome = .failure(.malformedReply(error))
        }
        oldest.request.continuation.resume(returning: outcome)
        return true
    }

    private func startTimer(_ context: ChannelHandlerContext, at deadline: NIODeadline) {
        guard !timerIsRunning else { return }
        timerIsRunning = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: deadline) { bound.value.checkTime() }
    }

    private func checkTime() {
        timerIsRunning = false
        guard let context, let oldest = inFlight.first else { return }
        guard oldest.deadline <= .now() else {
            startTimer(context, at: oldest.deadline)
            return
        }
        inFlight.removeFirst()
        oldest.request.continuation.resume(returning: .failure(.timedOut))
        end(context, with: .closed)
    }

    private func end(_ context: ChannelHandlerContext, with error: CryptoClientError) {
        fail(with: error)
        context.close(promise: nil)
    }

    private func fail(with error: CryptoClientError) {
        let unanswered = inFlight.map(\.request) + waiting
        inFlight.removeAll()
        waiting.removeAll()
        for request in unanswered { request.continuation.resume(returning: .failure(error)) }
    }
}

extension ByteBuffer {
    /// The client header: the number in hexadecimal digits, its lowest ones when there is no room for more.
    fileprivate mutating func writeSequence(_ sequence: UInt64, length: Int) {
        if length > 16 { writeRepeatingByte(0x30, count: length - 16) }
        writeHexadecimal(sequence, digits: min(length, 16))
    }

    fileprivate func isSequence(_ sequence: UInt64) -> Bool {
        var expected = ByteBuffer()
        expected.writeSequence(sequence, length: readableBytes)
        return self == expected
    }
}
