using System.Diagnostics;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class ListenerNameTests : IAsyncLifetime
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersDirectory = OwnerOnly | UnixFileMode.UserExecute;

    private readonly TestEndPoint _endPoint = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public void Listen_Default_FilesAreForTheOwnerOnly()
    {
        var directory = Path.Join(_endPoint.Directory, "made");
        _endPoint.Settings = _endPoint.Settings with
        {
            Rendezvous = _endPoint.Settings.Rendezvous with { Directory = directory },
        };
        _endPoint.Listen();

        Assert.Equal(OwnersDirectory, File.GetUnixFileMode(directory));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Join(directory, _endPoint.EndPoint.Name + ".sock")));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Join(directory, _endPoint.EndPoint.Name + ".sock.lock")));
    }

    [Fact]
    public async Task Listen_NameIsInUse_NamesTheEndPointAndTheProcess()
    {
        _endPoint.Listen();
        var refused = Assert.Throws<EndPointInUseException>(_endPoint.CreateListener);
        Assert.Contains($"'{_endPoint.EndPoint}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId} ", refused.Message, StringComparison.Ordinal);

        // The listener that failed has not disturbed the first one.
        var (client, server) = await _endPoint.ConnectPairAsync();
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task Listen_ManyAtTheSameMoment_OneWins()
    {
        for (var i = 0; i < 50; i++)
        {
            var winners = new List<SharedMemoryListener>();
            using var start = new Barrier(3);
            await TimeLimit.OnThreads([.. Enumerable.Repeat<Action>(
                () =>
                {
                    start.SignalAndWait();
                    try
                    {
                        var listener = _endPoint.CreateListener();
                        lock (winners)
                        {
                            winners.Add(listener);
                        }
                    }
                    catch (EndPointInUseException)
                    {
                        // Another listener was first.
                    }
                },
                3)]);
            await Assert.Single(winners).DisposeAsync().InTime();
        }
    }

    [Fact]
    public async Task Listen_AnotherProcessHoldsTheName_IsRefusedUntilThatIsKilled()
    {
        // flock(1) takes the same lock as a listener of another process.
        await File.WriteAllTextAsync(_endPoint.LockPath, "4711\n", TestContext.Current.CancellationToken);
        using var holder = Process.Start(new ProcessStartInfo(
            "flock", [_endPoint.LockPath, "-c", "echo held; exec sleep 60"])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            var said = await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                .AsTask().InTime();
            Assert.Equal("held", said);
            var refused = Assert.Throws<EndPointInUseException>(_endPoint.CreateListener);
            Assert.Contains("process 4711", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            holder.Kill(entireProcessTree: true);
        }

        await holder.WaitForExitAsync(TestContext.Current.CancellationToken).InTime();
        await TimeLimit.UntilAsync(TryListen, () => "The dead process still has the name.");
    }

    [Fact]
    public async Task Listen_DeadServersLeftovers_AreTakenOver()
    {
        // Disposing unlinks the socket; a killed process does not.
        using (var dead = TransportPlatform.Current.Listen(_endPoint.EndPoint, _endPoint.Settings.Rendezvous))
        {
            File.Move(_endPoint.SocketPath, _endPoint.SocketPath + ".left");
        }

        File.Move(_endPoint.SocketPath + ".left", _endPoint.SocketPath);
        await File.WriteAllTextAsync(_endPoint.LockPath, "4711\n", TestContext.Current.CancellationToken);

        _endPoint.Listen();

        var (client, server) = await _endPoint.ConnectPairAsync();
        client.Dispose();
        server.Dispose();
        var refused = Assert.Throws<EndPointInUseException>(_endPoint.CreateListener);
        Assert.Contains($"process {Environment.ProcessId} ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("directory")]
    [InlineData("link")]
    public async Task Listen_SomethingElseInTheWay_IsLeftAloneAndTheNameIsFreeAgain(string kind)
    {
        var path = _endPoint.SocketPath;
        var other = Path.Join(_endPoint.Directory, "other");
        await File.WriteAllTextAsync(other, "precious", TestContext.Current.CancellationToken);
        switch (kind)
        {
            case "file":
                File.Move(other, path);
                break;
            case "directory":
                Directory.CreateDirectory(path);
                break;
            default:
                File.CreateSymbolicLink(path, other);
                break;
        }

        var refused = Assert.ThrowsAny<IOException>(_endPoint.CreateListener);
        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        Assert.IsNotType<EndPointInUseException>(refused);

        if (kind == "directory")
        {
            Directory.Delete(path);
        }
        else
        {
            Assert.Equal("precious", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
            File.Delete(path);
        }

        _endPoint.Listen();
    }

    [Fact]
    public async Task Dispose_Listener_SocketGoesAndLockFileStays()
    {
        await _endPoint.Listen().DisposeAsync();
        Assert.False(File.Exists(_endPoint.SocketPath));
        Assert.True(File.Exists(_endPoint.LockPath));
    }

    [Fact]
    public async Task Dispose_ConnectionThatNobodyHasAccepted_IsToldThatItWasNeverServed()
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Listen();
        using var client = await endPoint.ConnectAsync();
        await endPoint.Listener.DisposeAsync().InTime();
        await TimeLimit.UntilAsync(() => client.Cause is not null, () => "The client is not told.");
        Assert.Equal((CloseCode.NotServed, true), (client.Cause!.Code, client.Cause.ByPeer));
    }

    [Fact]
    public async Task Dispose_Listener_SuccessorListensAtOnceWhileOldConnectionsGoOn()
    {
        var first = _endPoint.Listen();
        var (client, server) = await _endPoint.ConnectPairAsync();
        await first.DisposeAsync();
        await first.DisposeAsync();

        _endPoint.Listen();
        var (newClient, newServer) = await _endPoint.ConnectPairAsync();
        await EchoAndDisposeAsync(client, server);
        await EchoAndDisposeAsync(newClient, newServer);
    }

    [Fact]
    public async Task Dispose_AForkedProcessStillHoldsACopyOfTheLock_NameIsFreeAllTheSame()
    {
        await _endPoint.Listen().DisposeAsync();
        using var socket = TransportPlatform.Current.Listen(_endPoint.EndPoint, _endPoint.Settings.Rendezvous);
        using var copy = Descriptors.Duplicate(_endPoint.LockPath);
        socket.Dispose();
        _endPoint.Listen();
    }

    [Fact]
    public async Task Dispose_Listener_EndsAcceptAndConnectionsThatNobodyTook()
    {
        _endPoint.Listen();
        var client = await _endPoint.ConnectAsync();
        await _endPoint.ServerLog.WaitForAsync("Connected", _endPoint.EndPoint.Name);
        var second = _endPoint.AcceptAsync();
        (await second).Dispose();
        var accept = _endPoint.Listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        await _endPoint.Listener.DisposeAsync();
        Assert.Null(await accept.InTime());
        client.Dispose();
    }

    [Fact]
    public async Task Listen_TwoNamesAndAPathInOneProcess_AreThreeEndPoints()
    {
        await using var other = new TestEndPoint();
        other.Listen();
        _endPoint.Listen();
        var path = new SharedMemoryEndPoint(Path.Join(_endPoint.Directory, "path.socket"));
        using var byPath = TransportPlatform.Current.Listen(path, _endPoint.Settings.Rendezvous);
        Assert.True(File.Exists(path.Name));
        Assert.NotNull(TransportPlatform.Current.Connect(path, null, out _));
        var (client, server) = await other.ConnectPairAsync();
        await EchoAndDisposeAsync(client, server);
    }

    private static async Task EchoAndDisposeAsync(SharedMemoryConnection client, SharedMemoryConnection server)
    {
        await using var clientStream = new RingStream(client, FileAccess.ReadWrite);
        await using var serverStream = new RingStream(server, FileAccess.ReadWrite);
        await StreamBytes.EchoAsync(clientStream, serverStream);
    }

    private bool TryListen()
    {
        try
        {
            _endPoint.Listen();
            return true;
        }
        catch (EndPointInUseException)
        {
            return false;
        }
    }
}
