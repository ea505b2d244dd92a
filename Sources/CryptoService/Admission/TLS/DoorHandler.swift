import KMS
import NIOCore
import NIOSSL
import NIOTLS

/// Stands at a door until it is known who is there: waits for the handshake, with a limit, and then lets in or closes.
///
/// Behind `NIOSSLServerHandler` on the TLS doors; on plain HTTP it only carries `peer`.
final class DoorHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let peer: ConnectedPeer
    private let admission: Admission
    /// Adds what serves the connection; called once, on the loop, before the first byte of the client is passed on.
    private let onAdmitted: (ChannelHandlerContext) throws -> Void
    private var deadline: Scheduled<Void>?
    private var isOpen: Bool
    private var isLeaving = false
    /// Set by the verification of the certificate, which alone knows the reason.
    private let verdict: HandshakeVerdict

    init(
        _ peer: ConnectedPeer, _ admission: Admission, _ verdict: HandshakeVerdict,
        onAdmitted: @escaping (ChannelHandlerContext) throws -> Void
    ) {
        self.peer = peer
        self.admission = admission
        self.verdict = verdict
        self.onAdmitted = onAdmitted
        isOpen = peer.door == .tcp || peer.door == .http
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard !isOpen else { return }
        let seconds = Int64(admission.settings.handshakeSeconds)
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) {
            self.refuse(.handshakeTimeout, context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { handshakeIsOver(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func handshakeIsOver(_ context: ChannelHandlerContext) {
        guard !isOpen else { return }
        deadline?.cancel()
        let certificate = (try? context.pipeline.syncOperations.nioSSL_peerCertificate()).flatMap { $0 }
        do throws(AdmissionRefusal) {
            // Also what the verification let pass is judged here: a session that is taken up again comes without one.
            try admission.settle(peer, certificate.flatMap { ClientCertificate($0)?.fingerprint })
        } catch {
            return refuse(error, context)
        }
        isOpen = true
        do { try onAdmitted(context) } catch { close(context: context, mode: .all, promise: nil) }
    }

    /// Nothing of a stranger's is passed on, and nothing of somebody's who is being sent away: TLS takes leave of a peer before
    /// it closes, and decrypts what that peer goes on sending until then.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOpen, !isLeaving { context.fireChannelRead(data) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all {
            isLeaving = true
            // Else the TLS library takes the peer's own leave for the half of one, and holds the connection until its time is up.
            try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        }
        context.close(mode: mode, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isOpen else { return context.fireErrorCaught(error) }
        refuse(verdict.refusal ?? Self.reason(error), context)
    }

    private func refuse(_ refusal: AdmissionRefusal, _ context: ChannelHandlerContext) {
        guard !verdict.isSaid else { return }
        verdict.isSaid = true
        deadline?.cancel()
        admission.refuse(refusal, peer, shown: verdict.certificate)
        close(context: context, mode: .all, promise: nil)
    }

    /// The library's words for the few failures that an administrator can do something about.
    private static func reason(_ error: any Error) -> AdmissionRefusal {
        let text = String(describing: error)
        if text.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE") { return .noCertificate }
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return .certificateNotTrusted }
        if text.contains("UNSUPPORTED_PROTOCOL") || text.contains("PROTOCOL_VERSION") { return .protocolVersion }
        return .handshakeFailed
    }
}

/// What the verification of one handshake found. Confined to the connection's event loop.
final class HandshakeVerdict {
    var refusal: AdmissionRefusal?
    var certificate: CertificateFingerprint?
    var isSaid = false
}

extension Admission {
    /// The handlers of one connection at a TLS door, in their order.
    func tlsHandlers(
        _ peer: ConnectedPeer, _ material: TLSMaterial, on eventLoop: any EventLoop,
        onAdmitted: @escaping (ChannelHandlerContext) throws -> Void
    ) -> [any ChannelHandler] {
        let context = material.context(peer.door)
        let verdict = HandshakeVerdict()
        let door = DoorHandler(peer, self, verdict, onAdmitted: onAdmitted)
        guard !material.hasClientAuthority else { return [NIOSSLServerHandler(context: context), door] }
        // Without an authority there is no chain to follow: exactly the certificates that were added count. That the peer has the
        // private key is checked by the library in any case.
        let bound = NIOLoopBound(verdict, eventLoop: eventLoop)
        return [
            NIOSSLServerHandler(
                context: context,
                customVerificationCallback: { [self] chain, promise in
                    let verdict = bound.value
                    guard let leaf = chain.first.flatMap({ ClientCertificate($0) }) else {
                        verdict.refusal = .noCertificate
                        return promise.succeed(.failed)
                    }
                    verdict.certificate = leaf.fingerprint
                    do throws(AdmissionRefusal) {
                        try preview(leaf.fingerprint, peer)
                        promise.succeed(.certificateVerified)
                    } catch {
                        verdict.refusal = error
                        promise.succeed(.failed)
                    }
                }), door,
        ]
    }
}
