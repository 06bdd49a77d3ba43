using System.Buffers;
using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Connections;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>
/// A call whose parts are tested one by one, without a server and without an application. What the parts send goes over
/// a real connection to a peer in this process, which keeps it.
/// </summary>
internal sealed class CallUnderTest : IAsyncDisposable
{
    private readonly TestEndPoint _endPoint;
    private readonly SharedMemoryConnection _client;
    private readonly SharedMemoryConnectionContext _context;
    private readonly CallPair _carrier;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    private CallUnderTest(
        TestEndPoint endPoint,
        (SharedMemoryConnection Client, SharedMemoryConnection Server) connections,
        CallPair carrier,
        Action<KestrelServerOptions>? configure)
    {
        _endPoint = endPoint;
        _client = connections.Client;
        _carrier = carrier;
        configure?.Invoke(Kestrel);
        var options = new SharedMemoryTransportOptions();
        Application = new DirectApplication(
            Options.Create(options),
            Options.Create(Kestrel),
            new Loggers(Log),
            _services.GetRequiredService<IMeterFactory>(),
            new KestrelInternals(),
            _services);
        var budget = new SharedBudget(long.MaxValue);
        _context = new SharedMemoryConnectionContext(
            connections.Server, options, Application, MemoryPool<byte>.Shared, budget);
        Connection = new ServerConnection(_context, connections.Server, Application, budget);
        Call = new TestServerCall(Connection) { Number = 7 };
    }

    public KestrelServerOptions Kestrel { get; } = new();

    public LogCollector Log { get; } = new();

    public DirectApplication Application { get; }

    public ServerConnection Connection { get; }

    public ServerCall Call { get; }

    public static async Task<CallUnderTest> CreateAsync(Action<KestrelServerOptions>? configure = null)
    {
        // For what the parts ask of their connection, which carries nothing.
        var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with { Modes = static () => ConnectionModes.Calls };
        endPoint.ConnectSettings = endPoint.ConnectSettings with { Modes = ConnectionModes.Calls };
        endPoint.Listen();
        return new CallUnderTest(
            endPoint,
            await endPoint.ConnectPairAsync(),
            await CallPair.CreateAsync(static _ => Task.CompletedTask, ringSize: 256 * 1024),
            configure);
    }

    /// <summary>
    /// Puts the call on a connection, so that what it sends reaches the peer. The test uses the call as well, so that
    /// it is not made as new when both sides have ended.
    /// </summary>
    public void Attach()
    {
        Assert.True(_carrier.Client.TryBegin(Call.CallStream));
        Assert.True(Call.TryUse());
    }

    /// <summary>Starts the response of an attached call, and lets the peer send the headers of the request.</summary>
    public async Task<TestCall> StartAsync()
    {
        await Call.Response.Writer.FlushAsync(TestContext.Current.CancellationToken);
        var peer = await PeerAsync();
        peer.SetHeaders(RawFrames.Request("/a.B/C"));
        await peer.SendAsync(Array.Empty<byte>());
        await TimeLimit.UntilAsync(() => Call.IsStarted);
        return peer;
    }

    /// <summary>
    /// Lets handler, connection and test go of an attached call. It does not serve again, since something of its
    /// handler is left.
    /// </summary>
    public void EndUse()
    {
        _ = Call.Response.Callbacks.BeginWait();
        Call.LetGo();
        Call.LetGo();
        Call.LetGo();
        Assert.False(Call.TryUse());
    }

    /// <summary>Waits for what the peer sees of the call.</summary>
    public Task<TestCall> PeerAsync() => _carrier.AcceptedAsync();

    public async ValueTask DisposeAsync()
    {
        await _carrier.DisposeAsync();
        await _context.DisposeAsync();
        _client.Dispose();
        await _endPoint.DisposeAsync();
        await _services.DisposeAsync();
    }

    private sealed class Loggers(ILogger log) : ILoggerFactory
    {
        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
