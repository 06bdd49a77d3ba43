using System.Net.Sockets;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>
/// There is another program's socket at a listener's path, for example a database's. It is not touched while that
/// program lives.
/// </summary>
public sealed class ForeignSocketTests : IDisposable
{
    private static readonly RendezvousSettings Settings = new(null);

    private readonly TempDirectory _temp = new();
    private readonly string _path;
    private readonly SharedMemoryEndPoint _endPoint;

    public ForeignSocketTests()
    {
        _path = _temp.File("database.sock");
        _endPoint = new SharedMemoryEndPoint(_path);
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Listen_AnotherProgramListensThere_IsRefusedAndThatServesOn()
    {
        using var foreign = ForeignSocket.Listen(_path);
        var refused = Assert.Throws<EndPointInUseException>(Listen);
        Assert.Contains(
            $"another program listens on the socket, process {Environment.ProcessId} of user",
            refused.Message,
            StringComparison.Ordinal);
        Assert.Contains(_path, refused.Message, StringComparison.Ordinal);

        // The connection of the probe has come and gone; the next connection is a client.
        using var client = await ForeignSocket.ConnectAsync(_path);
        using var probe = await foreign.AcceptAsync(TestContext.Current.CancellationToken).AsTask().InTime();
        Assert.Equal(0, await probe.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().InTime());
        using var served = await foreign.AcceptAsync(TestContext.Current.CancellationToken).AsTask().InTime();
        await served.SendAsync("x"u8.ToArray(), TestContext.Current.CancellationToken).AsTask().InTime();
        Assert.Equal(
            1, await client.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().InTime());
    }

    [Theory]
    [InlineData(SocketType.Dgram)]
    [InlineData(SocketType.Seqpacket)]
    public void Listen_AnotherProgramHasASocketOfAnotherType_IsRefusedAndThatStays(SocketType type)
    {
        using var foreign = ForeignSocket.Bind(_path, type);
        var refused = Assert.Throws<EndPointInUseException>(Listen);
        Assert.Contains("a socket of another type", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_path));
    }

    [Fact]
    public async Task Listen_AnotherProgramIsSoBusyThatNobodyGetsIn_IsRefused()
    {
        using var foreign = ForeignSocket.Listen(_path, backlog: 0);

        // The system lets one more client in than may wait.
        using var waiting = await ForeignSocket.ConnectAsync(_path);
        var refused = Assert.Throws<EndPointInUseException>(Listen);
        Assert.Contains("so many clients wait there", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_path));
    }

    [Fact]
    public async Task Listen_ItCannotBeToldWhetherSomebodyListens_IsRefusedAndThatStays()
    {
        // A socket that this user may not connect to. Root may connect to any, so another user tries.
        using var foreign = ForeignSocket.Listen(_path);
        if (OtherUser.IsAvailable)
        {
            File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            OtherUser.Own(_temp.Path);
        }
        else
        {
            File.SetUnixFileMode(_path, UnixFileMode.None);
        }

        var refused = await Assert.ThrowsAnyAsync<IOException>(() => OtherUser.IsAvailable
            ? OtherUser.RunAsync(() => TransportPlatform.Current.Listen(_endPoint, Settings))
            : Task.FromResult(TransportPlatform.Current.Listen(_endPoint, Settings)));
        Assert.IsNotType<EndPointInUseException>(refused);
        Assert.Contains("it is not known whether another program listens", refused.Message, StringComparison.Ordinal);
        Assert.Contains("may not do that there", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_path));
    }

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Dgram)]
    public void Listen_DeadProgramsSocket_IsTakenOver(SocketType type)
    {
        using (ForeignSocket.Bind(_temp.File("bound"), type))
        {
            // .NET removes a socket's file along with the socket, which no killed program does.
            File.Move(_temp.File("bound"), _path);
        }

        using var socket = TransportPlatform.Current.Listen(_endPoint, Settings);
        using var client = TransportPlatform.Current.Connect(_endPoint, null, out _);
        Assert.NotNull(client);
    }

    [Fact]
    public void Listen_AFileIsThere_IsRefusedAndThatStays()
    {
        File.WriteAllText(_path, "precious");
        var refused = Assert.ThrowsAny<IOException>(Listen);
        Assert.Contains("is not a socket", refused.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_path));
    }

    [Fact]
    public void Listen_AFolderIsInThePlaceOfANamesSocket_IsCalledOneAndStays()
    {
        Directory.CreateDirectory(_path);
        var refused = Assert.ThrowsAny<IOException>(() => TransportPlatform.Current.Listen(
            new SharedMemoryEndPoint("database"), new RendezvousSettings(_temp.Path)));
        Assert.Contains($"'{_path}' exists and is a folder, not a", refused.Message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(_path));
    }

    [Fact]
    public void Listen_Refused_NameIsFreeWhenTheOtherProgramHasGone()
    {
        using (ForeignSocket.Listen(_path))
        {
            Assert.Throws<EndPointInUseException>(Listen);
        }

        TransportPlatform.Current.Listen(_endPoint, Settings).Dispose();
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task Dispose_AnotherProgramHasReplacedTheSocket_ThatStays()
    {
        // Many programs remove a file in their way without asking.
        var socket = TransportPlatform.Current.Listen(_endPoint, Settings);
        File.Delete(_path);
        using var foreign = ForeignSocket.Listen(_path);
        socket.Dispose();
        using var client = await ForeignSocket.ConnectAsync(_path);
        Assert.True(client.Connected);
    }

    private void Listen() => TransportPlatform.Current.Listen(_endPoint, Settings).Dispose();
}
