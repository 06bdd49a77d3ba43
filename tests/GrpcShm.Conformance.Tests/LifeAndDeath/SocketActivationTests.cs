using System.Net.Sockets;
using System.Runtime.InteropServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>
/// A server that is started with its socket. Another process has bound the socket and keeps it: systemd, or here the
/// test.
/// </summary>
public sealed partial class SocketActivationTests : IDisposable
{
    private const int SetDescriptorFlags = 2;

    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryDirectMode _mode = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly EndpointAddress _address;

    public SocketActivationTests()
    {
        _address = new EndpointAddress(EndpointKind.SharedMemory, Path.Combine(_directory.Path, "orders.sock"));
        _socket.Bind(new UnixDomainSocketEndPoint(_address.Value));
        _socket.Listen(16);
        Assert.Equal(0, Control((int)_socket.Handle, SetDescriptorFlags, 0));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Call_ServerIsStartedWithItsSocket_IsServedThoughItCameBeforeAndBetweenTwoOfThem()
    {
        for (var i = 0; i < 2; i++)
        {
            // The call waits in the socket's queue, since no server accepts it yet.
            using var early = CreateChannel();
            using var call = CallAsync(early);

            await using (var server = await StartAsync())
            {
                await call.ResponseAsync.InTime();
                using var channel = CreateChannel();
                await CallAsync(channel).ResponseAsync.InTime();
                await TimeLimit.UntilAsync(() => Task.FromResult(
                    server.Log.Contains("was passed to this process (LISTEN_FDS", StringComparison.Ordinal)));
                await server.StopAsync();
            }

            Assert.True(File.Exists(_address.Value));
            Assert.False(File.Exists(_address.Value + ".lock"));
        }
    }

    [Fact]
    public async Task Listen_AnotherServerIsStartedWithoutTheSocket_IsRefusedAndTheSocketServesOn()
    {
        await using var server = await StartAsync();
        await using var second = HostProcess.Start(["serve", "--listen", _address.ToString()]);
        var message = await second.ReadAsync();
        Assert.Equal(HostMessage.Failed, message.Kind);
        Assert.Contains(
            message.Errors, text => text.Contains("another program listens on the socket", StringComparison.Ordinal));
        Assert.Equal(1, await second.WaitForExitAsync());

        using var channel = CreateChannel();
        await CallAsync(channel).ResponseAsync.InTime();
    }

    private static AsyncUnaryCall<Empty> CallAsync(ChannelBase channel) =>
        new TestService.TestServiceClient(channel).NothingAsync(
            new Empty(), new CallOptions(cancellationToken: TestContext.Current.CancellationToken));

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    private TestChannel CreateChannel() => _mode.CreateChannel(_address, _directory, new ClientSetup
    {
        ConfigureSharedMemory = options => options.ConnectTimeout = TimeLimit.Value,
    });

    private Task<HostProcess> StartAsync() => HostProcess.StartActivatedAsync(
        (int)_socket.Handle,
        "serve",
        "--listen", _address.ToString(),
        "--log-level", nameof(Microsoft.Extensions.Logging.LogLevel.Information));
}
