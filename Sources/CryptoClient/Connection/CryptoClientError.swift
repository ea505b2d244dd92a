/// Why a request has no result.
///
/// `closed`, `timedOut`, `outOfStep` and the malformed ones leave it open whether the server has carried the request out;
/// `busy`, `requestTooLong` and `cannotConnect` mean that it was never sent.
public enum CryptoClientError: Error, Sendable, Hashable {
    /// No connection: the reason as the operating system gives it.
    case cannotConnect(String)
    /// The connection ended, by either side, before the answer came.
    case closed
    /// No answer in time. Answers come in order, so the connection is closed with it.
    case timedOut
    /// More requests wait than `CryptoConnection.Settings.maximumWaiting`.
    case busy
    /// The request does not fit in a frame.
    case requestTooLong(Int)
    /// An answer that belongs to no request: another header or command than the oldest request's. Connection closed.
    case outOfStep
    /// What came is not a frame. Connection closed.
    case malformedFrame(FrameError)
    /// The frame came, its fields are not those of the command.
    case malformedReply(FieldError)
    /// The server answered with this code.
    case refused(HostErrorCode)
}
