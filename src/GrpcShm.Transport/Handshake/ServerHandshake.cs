using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>The server's part of the handshake.</summary>
internal static class ServerHandshake
{
    /// <summary>Carries on a handshake with a client that has connected.</summary>
    /// <param name="channel">The client's channel. The caller owns it until the result does.</param>
    /// <param name="reactor">The reactor that watches it.</param>
    /// <param name="settings">The listener's settings.</param>
    /// <param name="offer">Makes the memory and the doorbells for the client, from the sizes of the two rings.</param>
    /// <param name="cancellationToken">Fires when the time for the handshake is over.</param>
    /// <exception cref="HandshakeException">One side refuses the connection; the message says why.</exception>
    /// <exception cref="IOException">The client is gone, or broke the protocol.</exception>
    public static async Task<ConnectionParts> RunAsync(
        ControlChannel channel,
        Reactor reactor,
        ListenerSettings settings,
        Func<int, int, ValueTask<SegmentOffer>> offer,
        CancellationToken cancellationToken)
    {
        FaultPoint.Reach(FaultStep.ServerAccepted);
        Authorize(channel.Peer, settings);
        ClientHello hello;
        using (var message =
            await ReceiveAsync(channel, ControlMessageType.ClientHello, cancellationToken).ConfigureAwait(false))
        {
            hello = ClientHello.Read(message.Body);
            FaultPoint.Reach(FaultStep.ServerHelloReceived);
        }

        var answer = Negotiate(hello, settings);
        ConnectionParts parts;
        try
        {
            using var offered =
                await offer((int)answer.ClientToServerSize, (int)answer.ServerToClientSize).ConfigureAwait(false);

            // Before the answer is sent: a client that has it takes itself for connected.
            channel.Watch();
            parts = Send(channel, reactor, answer, offered);
        }
        catch (IOException exception) when (exception is SharedMemoryResourcesException or PlatformException)
        {
            throw new HandshakeException(RefusalCode.Resources, exception.Message, innerException: exception);
        }

        try
        {
            using (await ReceiveAsync(channel, ControlMessageType.Ready, cancellationToken).ConfigureAwait(false))
            {
                FaultPoint.Reach(FaultStep.ServerReadyReceived);
                return parts;
            }
        }
        catch
        {
            parts.Release();
            throw;
        }
    }

    private static void Authorize(SharedMemoryPeer peer, ListenerSettings settings)
    {
        if (!IsAdmitted(peer, settings))
        {
            throw new HandshakeException(
                RefusalCode.NotAuthorized,
                $"User {peer.User.Id} may not connect to this endpoint. By default only the server's own user may; "
                + "AuthorizePeer admits others.");
        }
    }

    private static bool IsAdmitted(SharedMemoryPeer peer, ListenerSettings settings)
    {
        if (settings.AuthorizePeer is not { } authorize)
        {
            return peer.User.IsSameUser;
        }

        try
        {
            return authorize(peer);
        }
        catch (Exception exception)
        {
            // Wrapped, since the callback's exception (say, for a file that it cannot read) is not caused by the
            // client.
            throw new InvalidOperationException("AuthorizePeer threw an exception.", exception);
        }
    }

    private static ServerHello Negotiate(ClientHello hello, ListenerSettings settings)
    {
        if (hello.MinVersion > hello.MaxVersion)
        {
            throw new HandshakeException(
                RefusalCode.Malformed, $"A range of versions from {hello.MinVersion} to {hello.MaxVersion} is empty.");
        }

        if (hello.MinVersion > SharedSegment.Version || hello.MaxVersion < SharedSegment.Version)
        {
            throw new HandshakeException(
                RefusalCode.Version,
                $"This server speaks version {SharedSegment.Version}, the client {hello.MinVersion} to "
                + $"{hello.MaxVersion}. Use the same release on both sides.");
        }

        var mode = ChooseMode(hello.Modes, settings.Modes());
        return new ServerHello(
            (ushort)SharedSegment.Version,
            mode,
            ChooseSize(hello.ClientToServerSize, settings),
            ChooseSize(hello.ServerToClientSize, settings),
            (uint)ChooseFeatures((ConnectionFeatures)hello.Features, mode, settings),
            mode == ConnectionModes.Calls ? (uint)settings.MaxCalls : 0);
    }

    private static ConnectionModes ChooseMode(ConnectionModes wanted, ConnectionModes offered)
    {
        var common = wanted & offered;
        return common.HasFlag(ConnectionModes.Calls) ? ConnectionModes.Calls
            : common.HasFlag(ConnectionModes.Bytes) ? ConnectionModes.Bytes
            : throw new HandshakeException(
                RefusalCode.Mode,
                offered == ConnectionModes.None
                    ? "This endpoint is to offer direct mode alone, and cannot offer it at present. The server's "
                        + "log says why."
                    : $"This endpoint offers the modes 0x{(uint)offered:x}, the client asks for 0x{(uint)wanted:x} (1 "
                        + "is HTTP/2 over the rings, 2 is direct mode).");
    }

    private static ConnectionFeatures ChooseFeatures(
        ConnectionFeatures wanted, ConnectionModes mode, ListenerSettings settings)
    {
        if (mode == ConnectionModes.Calls)
        {
            return settings.UseChecksums ? ConnectionFeatures.Checksums : wanted & ConnectionFeatures.Checksums;
        }

        return settings.SpeaksHttp2Alone() ? wanted & ConnectionFeatures.Http2Alone : ConnectionFeatures.None;
    }

    private static uint ChooseSize(uint wanted, ListenerSettings settings)
    {
        if (wanted == 0)
        {
            return (uint)settings.RingSize;
        }

        return RingSizes.IsValid(wanted)
            ? Math.Min(wanted, (uint)settings.MaxRingSize)
            : throw new HandshakeException(
                RefusalCode.Malformed,
                $"A ring of {wanted} bytes cannot be granted: the size has to be a power of two from "
                + $"{RingSizes.Smallest} to {RingSizes.Largest} bytes.");
    }

    private static ConnectionParts Send(ControlChannel channel, Reactor reactor, ServerHello answer, SegmentOffer offer)
    {
        FaultPoint.Reach(FaultStep.ServerMapped);
        offer.Send(channel, answer);
        FaultPoint.Reach(FaultStep.ServerHelloSent);
        reactor.ExpectSoon();
        var (segment, own, peer) = offer.Take();
        return new ConnectionParts(ConnectionRole.Server, channel, segment, own, peer, reactor)
        {
            Mode = answer.Mode,
            Features = (ConnectionFeatures)answer.Features,
            MaxCalls = (int)answer.MaxCalls,
        };
    }

    private static async ValueTask<ControlMessage> ReceiveAsync(
        ControlChannel channel, ControlMessageType expected, CancellationToken cancellationToken)
    {
        var message = await channel.ReceiveAsync(cancellationToken).ConfigureAwait(false);
        if (message.Type == expected && message.Attachments.Count == 0)
        {
            return message;
        }

        using (message)
        {
            if (message.Type == ControlMessageType.Refusal)
            {
                var (code, text) = message.ReadCodeAndText();
                throw new HandshakeException(RefusalCodes.FromWire(code), $"The client refused: {text}", byPeer: true);
            }

            throw new SharedMemoryProtocolException(
                $"The client sent a message of type {(ushort)message.Type} with {message.Attachments.Count} handles "
                + $"where a {expected} without any is due.");
        }
    }
}
