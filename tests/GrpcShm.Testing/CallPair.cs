using System.Threading.Channels;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Testing;

/// <summary>Both ends of a real connection in direct mode, in one process.</summary>
internal sealed class CallPair : ICallAcceptor, IAsyncDisposable
{
    private readonly TestEndPoint _endPoint;
    private readonly Func<TestCall, Task> _handler;
    private readonly Channel<TestCall> _accepted = Channel.CreateUnbounded<TestCall>();

    private CallPair(
        TestEndPoint endPoint,
        Func<TestCall, Task> handler,
        SharedMemoryConnection client,
        SharedMemoryConnection server,
        CallSettings settings)
    {
        _endPoint = endPoint;
        _handler = handler;
        ClientConnection = client;
        ServerConnection = server;
        Profile = new RunProfile(settings.RunMode);
        Client = new CallConnection(client, new CallSettings { RunMode = settings.RunMode }, null);
        Server = new CallConnection(server, settings, this);
        Server.Start();
        Client.Start();
    }

    public CallConnection Client { get; }

    public CallConnection Server { get; }

    public SharedMemoryConnection ClientConnection { get; }

    public SharedMemoryConnection ServerConnection { get; }

    public RunProfile Profile { get; }

    public LogCollector ClientLog => _endPoint.ClientLog;

    public LogCollector ServerLog => _endPoint.ServerLog;

    /// <summary>Makes a pair, by default with the smallest rings.</summary>
    public static async Task<CallPair> CreateAsync(
        Func<TestCall, Task>? handler = null,
        CallSettings? settings = null,
        int ringSize = RingSizes.Smallest,
        bool useChecksums = false,
        int maxCalls = CallTable.MaxSlots)
    {
        var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with
        {
            Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes,
            RingSize = ringSize,
            MaxCalls = maxCalls,
        };
        endPoint.ConnectSettings =
            endPoint.ConnectSettings with { Modes = ConnectionModes.Calls, UseChecksums = useChecksums };
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        settings ??= new CallSettings();
        return new CallPair(
            endPoint,
            handler ?? EchoAsync,
            client,
            server,
            settings with { MaxBufferedBytes = settings.MaxBufferedBytes ?? 128 * 1024 * 1024 });
    }

    /// <summary>Sends all received data back at once.</summary>
    public static async Task EchoAsync(TestCall call)
    {
        call.SetHeaders((":status", "200"));
        while (true)
        {
            var result = await call.Input.ReadAsync();
            foreach (var segment in result.Buffer)
            {
                await call.Output.WriteAsync(segment);
            }

            call.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                break;
            }
        }

        call.SetTrailers(("grpc-status", "0"));
        call.EndOutput();
    }

    CallStream? ICallAcceptor.Accept()
    {
        var call = new TestCall(Profile, _handler);
        _accepted.Writer.TryWrite(call);
        return call.Stream;
    }

    public Task<TestCall> AcceptedAsync() => _accepted.Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();

    /// <summary>Begins a call with headers that have not been sent.</summary>
    public TestCall Begin(string path = "/test/echo")
    {
        var call = new TestCall(Profile);
        Assert.True(Client.TryBegin(call.Stream));
        call.SetHeaders((":method", "POST"), (":path", path));
        return call;
    }

    /// <summary>Sends a number of bytes in pieces, and checks that they come back.</summary>
    public async Task EchoAsync(long count, int piece)
    {
        var call = Begin();
        var read = call.ReadPatternAsync(3);
        await call.WritePatternAsync(3, count, piece);
        call.EndOutput();
        Assert.Equal(count, await read);
        Assert.Equal([("grpc-status", "0")], await call.TrailersReceived.InTime());
        await call.Left.InTime();
        Assert.Equal((1, 0), (call.TimesLeft, call.TimesFailed));
    }

    /// <summary>Waits until neither side has a call, and shows that the connection works.</summary>
    public async Task VerifyIdleAsync()
    {
        await EchoAsync(100, 100);
        await TimeLimit.UntilAsync(
            () => Client.ActiveCalls == 0 && Server.ActiveCalls == 0,
            () => $"{Client.ActiveCalls} calls are left on the client, {Server.ActiveCalls} on the server.");
        Assert.False(Client.Completion.IsCompleted, "The client's connection has ended.");
        Assert.False(Server.Completion.IsCompleted, "The server's connection has ended.");
    }

    public async ValueTask DisposeAsync()
    {
        ClientConnection.Dispose();
        await Client.Completion.InTime();
        await Server.Completion.InTime();
        ServerConnection.Dispose();
        await _endPoint.DisposeAsync();
    }
}
