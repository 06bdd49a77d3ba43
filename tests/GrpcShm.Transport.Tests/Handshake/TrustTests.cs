using System.Runtime.InteropServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>Which peers the two sides trust by default, by the identity that the system gives.</summary>
public sealed class TrustTests
{
    private static readonly PeerIdentity Own = TransportPlatform.Current.CurrentUser;
    private static readonly PeerIdentity Stranger = new(Own.Id + "1");
    private static readonly PeerIdentity Privileged = new(Own.Id + "2", isPrivileged: true);

    [Fact]
    public async Task Connect_ServerOfAStranger_IsNotTrusted()
    {
        var refused = await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(Stranger, authorize: null));
        Assert.Equal(RefusalCode.NotAuthorized, refused.Code);
        Assert.Contains($"runs as user {Stranger.Id}, which is not trusted", refused.Message, StringComparison.Ordinal);
        Assert.Contains("or of root are", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ServerOfTheSameOrAPrivilegedUser_IsTrusted()
    {
        // The client trusts the server, so it goes on, and finds that the server has gone.
        await Assert.ThrowsAsync<EndOfStreamException>(() => ConnectAsync(Own, authorize: null));
        await Assert.ThrowsAsync<EndOfStreamException>(() => ConnectAsync(Privileged, authorize: null));
    }

    [Fact]
    public async Task Connect_AuthorizeServer_HasTheLastWord()
    {
        await Assert.ThrowsAsync<EndOfStreamException>(() => ConnectAsync(Stranger, static _ => true));
        await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(Own, static _ => false));
        await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(Privileged, static _ => false));
    }

    [Fact]
    public async Task Accept_ClientOfAStranger_IsRefused()
    {
        var refused = await Assert.ThrowsAsync<HandshakeException>(() => AcceptAsync(Stranger, authorize: null));
        Assert.Equal(RefusalCode.NotAuthorized, refused.Code);
    }

    [Fact]
    public async Task Accept_ClientOfAPrivilegedUser_IsRefusedLikeAnyOther() =>
        await Assert.ThrowsAsync<HandshakeException>(() => AcceptAsync(Privileged, authorize: null));

    [Fact]
    public async Task Accept_ClientOfTheSameUser_IsAdmitted() =>
        await Assert.ThrowsAsync<EndOfStreamException>(() => AcceptAsync(Own, authorize: null));

    [Fact]
    public async Task Accept_AuthorizePeer_HasTheLastWord()
    {
        await Assert.ThrowsAsync<EndOfStreamException>(() => AcceptAsync(Stranger, static _ => true));
        await Assert.ThrowsAsync<HandshakeException>(() => AcceptAsync(Own, static _ => false));
    }

    private static async Task ConnectAsync(PeerIdentity server, Func<SharedMemoryPeer, bool>? authorize)
    {
        var reactor = ProcessReactors.Next();
        using var channel = new ControlChannel(new EndedSocket(server), reactor);
        await ClientHandshake.RunAsync(
            channel,
            reactor,
            new ConnectSettings { AuthorizeServer = authorize },
            TestContext.Current.CancellationToken).InTime();
    }

    private static async Task AcceptAsync(PeerIdentity client, Func<SharedMemoryPeer, bool>? authorize)
    {
        var reactor = ProcessReactors.Next();
        using var channel = new ControlChannel(new EndedSocket(client), reactor);
        await ServerHandshake.RunAsync(
            channel,
            reactor,
            new ListenerSettings { Rendezvous = new RendezvousSettings(null), AuthorizePeer = authorize },
            static (_, _) => throw new InvalidOperationException("Nobody asks for memory."),
            TestContext.Current.CancellationToken).InTime();
    }

    /// <summary>A socket whose peer the test names, and which has ended.</summary>
    private sealed class EndedSocket(PeerIdentity peer) : ControlSocket
    {
        private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();

        public override SharedMemoryPeer Peer { get; } = new(1, peer, null);

        public override IPollSource Source => _bell.Source;

        public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
        {
        }

        public override int Receive(Span<byte> buffer, List<SafeHandle> attachments) => 0;

        public override void Shutdown()
        {
        }

        public override void Dispose() => _bell.Dispose();
    }
}
