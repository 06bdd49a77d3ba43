using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Claims;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Two users of the machine, known by what the operating system says of them.</summary>
public sealed partial class PeerUserTests : IDisposable
{
    // "nobody". Only root can become it; without that, there is one user and the test says what is true of it.
    private const uint Other = 65534;

    private static readonly uint Self = GetUserId();
    private readonly TempDirectory _directory = new();
    private readonly ConcurrentQueue<EventBusAccess> _asked = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Register_PolicyIsAsked_SeesTheUserAndTheProcess(string transport)
    {
        var address =
            transport == "shm" ? $"shm:eventbus-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40] : _directory.Socket;
        await using var hub = await HubServer.StartAsync(address, options => options.Authorize = Note);
        await using var child = await ChildProcess.StartAsync("machine", address, "m", "instance-1");

        Assert.True(_asked.TryDequeue(out var access));
        Assert.Equal(
            (EventBusAction.Register, EventBusSubject.Machine, "m"), (access.Action, access.Subject, access.Name));
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"PeerCredentials:{Self}"), access.Peer.UserId);
        Assert.Equal(
            Self.ToString(CultureInfo.InvariantCulture), access.Peer.User.FindFirst(ClaimTypes.NameIdentifier)?.Value);
        Assert.Equal(child.Id, access.Peer.ProcessId);
        Assert.Equal(("instance-1", "machine role"), (access.Peer.InstanceId, access.Peer.Name));
    }

    [Fact]
    public async Task Send_ByAnotherUserOfTheMachine_IsWhatThePolicySaysOfThatUser()
    {
        var self = string.Create(CultureInfo.InvariantCulture, $"PeerCredentials:{Self}");
        await using var hub = await HubServer.StartAsync(
            _directory.Socket, options => options.Authorize = access => access.Peer.UserId == self);
        File.SetUnixFileMode(_directory.Socket, (UnixFileMode)0x1B6);
        File.SetUnixFileMode(Path.GetDirectoryName(_directory.Socket)!, (UnixFileMode)0x1FF);
        using var channel = HubChannel.To(_directory.Socket);
        await using var session = new SessionClient(channel);
        await HubTest.SubscribeAsync(session, new Subscription { Number = 1, Inbox = "m" });
        using var otherChannel = ConnectAs(Other);
        await using var other = new SessionClient(otherChannel);

        var outcome = await other.ExecuteAsync(new SessionCommand { Send = HubTest.NewEvent("m") }).InTime();

        var expected = Environment.IsPrivilegedProcess ? StatusCode.PermissionDenied : StatusCode.OK;
        Assert.Equal((int)expected, outcome.StatusCode);
        Assert.Equal(
            0, (await session.ExecuteAsync(new SessionCommand { Send = HubTest.NewEvent("m") }).InTime()).StatusCode);
    }

    private bool Note(EventBusAccess access)
    {
        _asked.Enqueue(access);
        return true;
    }

    // The kernel notes who connects. It keeps the identity per thread, and the raw system call, unlike the C library's,
    // changes that of the calling thread only.
    private GrpcChannel ConnectAs(uint user) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, _) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await Task.Factory.StartNew(
                    () => Connect(socket, user),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default);
                return new NetworkStream(socket, ownsSocket: true);
            },
        },
        DisposeHttpClient = true,
    });

    private void Connect(Socket socket, uint user)
    {
        if (Environment.IsPrivilegedProcess)
        {
            Become(user);
        }

        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(_directory.Socket));
        }
        finally
        {
            if (Environment.IsPrivilegedProcess)
            {
                Become(0);
            }
        }
    }

    private static void Become(uint user)
    {
        // setresuid
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;
        if (SystemCall(number, uint.MaxValue, user, uint.MaxValue) != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nuint real, nuint effective, nuint saved);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUserId();
}
