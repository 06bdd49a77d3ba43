using System.Globalization;
using System.Net.Sockets;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>
/// A socket that was passed to the process, as systemd does it. In these tests the process has made the socket itself,
/// and the test gives the values of the variables.
/// </summary>
public sealed class ActivationTests : IDisposable
{
    private static readonly RendezvousSettings Settings = new(null);

    private readonly TempDirectory _temp = new();
    private readonly string _path;
    private readonly SharedMemoryEndPoint _endPoint;

    public ActivationTests()
    {
        _path = _temp.File("orders.sock");
        _endPoint = new SharedMemoryEndPoint(_path);
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Listen_SocketWasPassed_IsAdoptedAndStaysWhenTheListenerGoes()
    {
        using var passed = ForeignSocket.Listen(_path);
        var number = (int)passed.Handle;
        using (var copy = new SafeFileDescriptor(number, isOwner: false))
        {
            Assert.Equal(0, Libc.Control(copy, Libc.F_SETFD, 0));
        }

        var socket = LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed));
        Assert.NotNull(socket.Remark);
        Assert.False(socket.Remark.IsWarning);
        Assert.Contains($"LISTEN_FDS, descriptor {number}", socket.Remark.Text, StringComparison.Ordinal);
        Assert.False(File.Exists(_path + ".lock"));

        // A duplicate that no child inherits and that does not block; nor does a child inherit the passed descriptor.
        var own = (int)((SafeFileDescriptor)socket.Source).DangerousGetHandle();
        Assert.NotEqual(number, own);
        Assert.Equal(Libc.O_CLOEXEC | Libc.O_NONBLOCK, Descriptors.Flags(own) & (Libc.O_CLOEXEC | Libc.O_NONBLOCK));
        Assert.Equal(Libc.O_CLOEXEC, Descriptors.Flags(number) & Libc.O_CLOEXEC);

        Assert.Null(socket.Accept());
        using (var client = TransportPlatform.Current.Connect(_endPoint, null, out _))
        using (var accepted = socket.Accept())
        {
            Assert.NotNull(client);
            Assert.NotNull(accepted);
            Assert.Equal(Environment.ProcessId, accepted.Peer.ProcessId);
        }

        socket.Dispose();
        Assert.True(File.Exists(_path));

        // A client that comes now waits for the next listener.
        using var waiting = await ForeignSocket.ConnectAsync(_path);
        using var next = LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed));
        using var served = next.Accept();
        Assert.NotNull(served);
    }

    [Fact]
    public void Listen_NameWhoseSocketWasPassed_IsAdopted()
    {
        var settings = Settings with { Directory = _temp.Path };
        using var passed = ForeignSocket.Listen(_path);
        using var socket = LinuxRendezvousSocket.Listen(new SharedMemoryEndPoint("orders"), settings, Passed(passed));
        Assert.NotNull(socket.Remark);
        Assert.Contains("LISTEN_FDS", socket.Remark.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Listen_TwiceOnWhatWasPassedOnce_SecondIsRefusedUntilTheFirstHasGone()
    {
        using var passed = ForeignSocket.Listen(_path);
        var first = LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed));
        Assert.Throws<EndPointInUseException>(() => LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed)));
        first.Dispose();
        LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed)).Dispose();
    }

    [Fact]
    public void Listen_TwiceWithANumberFreeBeforeWhatWasPassed_SecondIsRefused()
    {
        var before = Libc.Open("/dev/null", Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        using var passed = ForeignSocket.Listen(_path);
        before.Dispose();
        using var first = LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed));

        Assert.True((int)((SafeFileDescriptor)first.Source).DangerousGetHandle() > (int)passed.Handle);
        Assert.Throws<EndPointInUseException>(() => LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed)));
    }

    [Fact]
    public void Listen_AnotherProcessWasPassedIt_IsRefused()
    {
        using var passed = ForeignSocket.Listen(_path);
        var refused = Assert.Throws<EndPointInUseException>(
            () => LinuxRendezvousSocket.Listen(
                _endPoint, Settings, Passed(passed, process: Environment.ProcessId + 1)));
        Assert.Contains("another program listens on the socket", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LISTEN_FDS", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Listen_WhatWasPassedIsBoundElsewhere_BindsItselfOrSaysWhatThereIs()
    {
        using var passed = ForeignSocket.Listen(_temp.File("other.sock"));
        using (var socket = LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed)))
        {
            Assert.Null(socket.Remark);
        }

        Assert.False(File.Exists(_path));
        using var foreign = ForeignSocket.Listen(_path);
        var refused = Assert.Throws<EndPointInUseException>(
            () => LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed, first: passed)));
        Assert.Contains("none is bound to exactly this path", refused.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"descriptor {passed.Handle}: '{_temp.File("other.sock")}'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketType.Dgram, "ListenStream=")]
    [InlineData(SocketType.Seqpacket, "ListenStream=")]
    [InlineData(SocketType.Stream, "Accept=yes")]
    public void Listen_WhatWasPassedIsNotWhatAListenerNeeds_SaysWhatToSet(SocketType type, string advice)
    {
        using var passed = ForeignSocket.Bind(_path, type);
        var refused = Assert.ThrowsAny<IOException>(
            () => LinuxRendezvousSocket.Listen(_endPoint, Settings, Passed(passed)));
        Assert.IsNotType<EndPointInUseException>(refused);
        Assert.Contains(advice, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"descriptor {passed.Handle}", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_path));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData(" 1")]
    [InlineData("99999999999")]
    [InlineData("x")]
    public void Read_CountMakesNoSense_NothingWasPassed(string? count) =>
        Assert.Null(ActivatedSockets.Read(Variables(Environment.ProcessId, count), Environment.ProcessId).Describe());

    [Fact]
    public void Read_CountIsBeyondAllReason_WhatIsThereIsFoundAllTheSame()
    {
        using var passed = ForeignSocket.Listen(_path);
        var all = ActivatedSockets.Read(Variables(Environment.ProcessId, "2147483647"), Environment.ProcessId);
        using var socket = LinuxRendezvousSocket.Listen(_endPoint, Settings, all);
        Assert.NotNull(socket.Remark);
    }

    /// <summary>All descriptors from 3 up to a descriptor, or from a given first one.</summary>
    private static ActivatedSockets Passed(Socket last, int? process = null, Socket? first = null) =>
        ActivatedSockets.Read(
            Variables(
                process ?? Environment.ProcessId,
                ((int)last.Handle - (first is null ? 3 : (int)first.Handle) + 1)
                    .ToString(CultureInfo.InvariantCulture)),
            Environment.ProcessId,
            first is null ? 3 : (int)first.Handle);

    private static Func<string, string?> Variables(int process, string? count) => name => name switch
    {
        "LISTEN_PID" => process.ToString(CultureInfo.InvariantCulture),
        "LISTEN_FDS" => count,
        _ => null,
    };
}
