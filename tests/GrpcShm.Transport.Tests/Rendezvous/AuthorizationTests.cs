using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class AuthorizationTests : IAsyncLifetime
{
    private const UnixFileMode Everybody = (UnixFileMode)0x1FF;
    private readonly TestEndPoint _endPoint = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public async Task Connect_SameUser_BothSidesSeeWhoTheOtherIs()
    {
        _endPoint.Listen();
        var (client, server) = await _endPoint.ConnectPairAsync();
        using (client)
        using (server)
        {
            Assert.Equal(Environment.ProcessId, client.Peer.ProcessId);
            Assert.Equal(Environment.ProcessId, server.Peer.ProcessId);
            Assert.Equal(TransportPlatform.Current.CurrentUser, server.Peer.User);
            Assert.True(server.Peer.User.IsSameUser);
            Assert.Equal(Environment.IsPrivilegedProcess, server.Peer.User.IsPrivileged);
            Assert.Equal(client.Peer, server.Peer);
        }
    }

    [Fact]
    public async Task Connect_AnotherUserThoughTheModesLetItThrough_IsRefusedByCredentials()
    {
        OpenUp(OtherUser.IsAvailable ? null : static _ => false);
        _endPoint.Listen();

        var refused = await Assert.ThrowsAsync<HandshakeException>(ConnectAsOtherAsync);

        Assert.Equal(RefusalCode.NotAuthorized, refused.Code);
        var expected = LinuxUser.Of(OtherUser.IsAvailable ? OtherUser.Id : Libc.EffectiveUserId());
        Assert.Contains($"User {expected.Id} may not connect", refused.Message, StringComparison.Ordinal);
        await _endPoint.ServerLog.WaitForAsync("ClientRefused", "NotAuthorized");

        // A client that may connect still can.
        _endPoint.Settings = _endPoint.Settings with { AuthorizePeer = null };
    }

    [Fact]
    public async Task Connect_AnotherUserWithinTheDefaultModes_DoesNotReachTheSocket()
    {
        _endPoint.Listen();
        if (OtherUser.IsAvailable)
        {
            var path = _endPoint.SocketPath;
            var refused = await Assert.ThrowsAnyAsync<IOException>(
                () => OtherUser.RunAsync(() => LinuxControlSocket.Connect(path, out _)));
            var whose = $"it belongs to user 0, and user {OtherUser.Id} may not do that";
            Assert.Contains(whose, refused.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_endPoint.SocketPath));
        }
    }

    [Fact]
    public async Task Connect_AuthorizePeerAdmitsAnotherUser_ConnectsAndSaysWhoItIs()
    {
        var expected = LinuxUser.Of(OtherUser.IsAvailable ? OtherUser.Id : Libc.EffectiveUserId());
        OpenUp(peer => peer.User == expected);
        _endPoint.Listen();
        var parts = await ConnectAsOtherAsync();
        using var client = new SharedMemoryConnection(
            parts, _endPoint.EndPoint, GrpcShm.Transport.Diagnostics.TransportMetrics.For(null), _endPoint.ClientLog);
        using var server = await _endPoint.AcceptAsync();
        Assert.Equal(expected, server.Peer.User);
        Assert.Equal(!OtherUser.IsAvailable, server.Peer.User.IsSameUser);
    }

    [Theory]
    [InlineData(typeof(InvalidDataException))]
    [InlineData(typeof(FileNotFoundException))]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(SharedMemoryProtocolException))]
    public async Task Connect_AuthorizePeerThrows_IsRefusedAndTheExceptionIsLogged(Type kind)
    {
        var exception = (Exception)Activator.CreateInstance(kind)!;
        _endPoint.Settings = _endPoint.Settings with { AuthorizePeer = _ => throw exception };
        _endPoint.Listen();

        var refused = await Assert.ThrowsAsync<HandshakeException>(_endPoint.ConnectAsync);

        Assert.Equal(RefusalCode.NotAuthorized, refused.Code);
        var line = await _endPoint.ServerLog.WaitForAsync("ListenerFailed", string.Empty);
        Assert.Contains(kind.Name, line.Exception?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_AuthorizeServerSaysNo_ClientGoesAway()
    {
        _endPoint.Listen();
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { AuthorizeServer = static _ => false };
        var refused = await Assert.ThrowsAsync<HandshakeException>(_endPoint.ConnectAsync);
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);

        _endPoint.ConnectSettings =
            _endPoint.ConnectSettings with { AuthorizeServer = static peer => peer.ProcessId == Environment.ProcessId };
        var (client, server) = await _endPoint.ConnectPairAsync();
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task Connect_AuthorizePeerBlocks_HoldsUpNobodyElse()
    {
        using var gate = new ManualResetEventSlim();
        var first = 0;
        _endPoint.Settings = _endPoint.Settings with
        {
            AuthorizePeer = _ =>
            {
                if (Interlocked.Exchange(ref first, 1) == 0)
                {
                    gate.Wait(TimeLimit.Value);
                }

                return true;
            },
        };
        _endPoint.Listen();
        var blocked = _endPoint.ConnectAsync();
        await TimeLimit.UntilAsync(() => Volatile.Read(ref first) == 1, () => "Nobody asked.");
        using var other = await _endPoint.ConnectAsync();
        Assert.False(blocked.IsCompleted);
        gate.Set();
        (await blocked).Dispose();
    }

    private void OpenUp(Func<SharedMemoryPeer, bool>? authorize)
    {
        var directory = Path.Join(_endPoint.Directory, "open");
        File.SetUnixFileMode(_endPoint.Directory, Everybody);
        _endPoint.Settings = _endPoint.Settings with
        {
            Rendezvous = new RendezvousSettings(directory) { LinuxModes = new(Everybody, (UnixFileMode)0x1B6) },
            AuthorizePeer = authorize,
        };
        _endPoint.ConnectSettings =
            _endPoint.ConnectSettings with { Directory = directory, AuthorizeServer = static _ => true };
    }

    private async Task<ConnectionParts> ConnectAsOtherAsync()
    {
        var path = Path.Join(_endPoint.ConnectSettings.Directory, _endPoint.EndPoint.Name + ".sock");
        var socket = OtherUser.IsAvailable
            ? await OtherUser.RunAsync(() => LinuxControlSocket.Connect(path, out _))
            : LinuxControlSocket.Connect(path, out _);
        Assert.NotNull(socket);
        var reactor = ProcessReactors.Next();
        var channel = new ControlChannel(socket, reactor);
        try
        {
            return await ClientHandshake.RunAsync(
                channel, reactor, _endPoint.ConnectSettings, TestContext.Current.CancellationToken).InTime();
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }
}
