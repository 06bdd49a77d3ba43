using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>The client's part of the handshake.</summary>
internal static class ClientHandshake
{
    /// <summary>Carries on a handshake with a server that has been connected to.</summary>
    /// <param name="channel">The server's channel. The caller owns it until the result does.</param>
    /// <param name="reactor">The reactor that watches it.</param>
    /// <param name="settings">The client's wishes.</param>
    /// <param name="cancellationToken">Fires when the time for the handshake is over.</param>
    /// <exception cref="HandshakeException">One side refuses the connection; the message says why.</exception>
    /// <exception cref="IOException">The server is gone, or broke the protocol.</exception>
    public static async Task<ConnectionParts> RunAsync(
        ControlChannel channel, Reactor reactor, ConnectSettings settings, CancellationToken cancellationToken)
    {
        FaultPoint.Reach(FaultStep.ClientConnected);
        Authorize(channel.Peer, settings);
        var hello = new ClientHello(
            (ushort)SharedSegment.Version,
            (ushort)SharedSegment.Version,
            settings.Modes,
            (uint)settings.RingSize.GetValueOrDefault(),
            (uint)settings.RingSize.GetValueOrDefault(),
            (uint)(ConnectionFeatures.Http2Alone
                | (settings.UseChecksums ? ConnectionFeatures.Checksums : ConnectionFeatures.None)));
        try
        {
            channel.Send(hello.Write());
            FaultPoint.Reach(FaultStep.ClientHelloSent);
        }
        catch (EndOfStreamException)
        {
            // The server has refused before it was asked. Its reason can still be read; if not, reading finds the end.
        }

        try
        {
            using var message = await channel.ReceiveSoonAsync(cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultStep.ClientAnswerReceived);
            if (message.Type == ControlMessageType.Refusal)
            {
                var (code, text) = message.ReadCodeAndText();
                throw new HandshakeException(
                    RefusalCodes.FromWire(code), $"The server refused the connection: {text}", byPeer: true);
            }

            try
            {
                return Accept(channel, reactor, message, settings.Modes);
            }
            catch (SharedMemoryProtocolException violation)
            {
                Refuse(channel, RefusalCode.Segment, violation.Message);
                throw;
            }
        }
        catch (IOException exception) when (exception is SharedMemoryResourcesException or PlatformException)
        {
            // Tells the server the reason, since people look into the server's log. It would only know that its client
            // has gone.
            Refuse(channel, RefusalCode.Resources, exception.Message);
            throw;
        }
    }

    private static void Refuse(ControlChannel channel, RefusalCode code, string why) =>
        channel.TrySend(ControlMessage.Write(ControlMessageType.Refusal, (ushort)code, why));

    private static void Authorize(SharedMemoryPeer peer, ConnectSettings settings)
    {
        // Privileged users could read everything anyway, and the system's own services run as such users.
        var trusted = settings.AuthorizeServer is { } authorize
            ? authorize(peer)
            : peer.User.IsSameUser || peer.User.IsPrivileged;
        if (!trusted)
        {
            throw new HandshakeException(
                RefusalCode.NotAuthorized,
                $"The server (process {peer.ProcessId}) runs as {peer.User}, which is not trusted. By default only "
                + $"servers of the same user or of {TransportPlatform.Current.PrivilegedUsers} are trusted; "
                + "AuthorizeServer admits others.");
        }
    }

    private static ConnectionParts Accept(
        ControlChannel channel, Reactor reactor, ControlMessage message, ConnectionModes wanted)
    {
        var parts = Open(channel, reactor, message, wanted);
        try
        {
            FaultPoint.Reach(FaultStep.ClientMapped);
            channel.Send(ControlMessage.Write(ControlMessageType.Ready, []));
            FaultPoint.Reach(FaultStep.ClientReadySent);
            return parts;
        }
        catch
        {
            parts.Release();
            throw;
        }
    }

    private static ConnectionParts Open(
        ControlChannel channel, Reactor reactor, ControlMessage message, ConnectionModes wanted)
    {
        if (message.Type != ControlMessageType.ServerHello || message.Attachments.Count != ServerHello.AttachmentCount)
        {
            throw new SharedMemoryProtocolException(
                $"The server answered with a message of type {(ushort)message.Type} with {message.Attachments.Count} "
                + $"handles where a hello with {ServerHello.AttachmentCount} is due.");
        }

        var answer = ServerHello.Read(message.Body);
        var known = answer.Mode == ConnectionModes.Calls
            ? ConnectionFeatures.Checksums
            : ConnectionFeatures.Http2Alone;
        if (answer.Version != SharedSegment.Version
            || answer.Mode is not (ConnectionModes.Bytes or ConnectionModes.Calls)
            || (answer.Mode & wanted) == 0
            || (answer.Features & ~(uint)known) != 0
            || !IsLimit(answer.MaxCalls, answer.Mode)
            || !RingSizes.IsValid(answer.ClientToServerSize)
            || !RingSizes.IsValid(answer.ServerToClientSize))
        {
            throw new SharedMemoryProtocolException($"The server granted what was not asked for: {answer}.");
        }

        var platform = TransportPlatform.Current;
        var toServer = (int)answer.ClientToServerSize;
        var toClient = (int)answer.ServerToClientSize;

        // The message owns the handles until everything has been checked. The message keeps the handle of the memory
        // and closes it: a mapping does not need it.
        Doorbell? peer = null;
        Doorbell? own = null;
        MappedMemory? mapping = null;
        try
        {
            peer = platform.OpenDoorbell(message.Attachments[1]);
            own = platform.OpenDoorbell(message.Attachments[2]);
            mapping = platform.Open(message.Attachments[0], SegmentLayout.TotalSize(toServer, toClient));
            var segment = SharedSegment.Open(mapping, toServer, toClient);
            message.Attachments.RemoveRange(1, 2);
            return new ConnectionParts(ConnectionRole.Client, channel, segment, own, peer, reactor)
            {
                Mode = answer.Mode,
                Features = (ConnectionFeatures)answer.Features,
                MaxCalls = (int)answer.MaxCalls,
            };
        }
        catch
        {
            mapping?.Dispose();
            own?.Dispose();
            peer?.Dispose();
            throw;
        }
    }

    private static bool IsLimit(uint maxCalls, ConnectionModes mode) =>
        mode == ConnectionModes.Calls ? maxCalls is >= 1 and <= CallTable.MaxSlots : maxCalls == 0;
}
