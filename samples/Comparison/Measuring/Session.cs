using Google.Protobuf;
using Grpc.Core;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>One transport while it is compared: its server and the connections to it.</summary>
internal sealed class Session : IAsyncDisposable
{
    private const int MemoryChannels = 16;
    private const int MemoryCallsInFlight = 16;
    private const int MemoryPayload = 64 * 1024;

    // This is much longer than any working run. If a transport loses a call, the comparison ends with the name of the
    // transport.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly IServer _server;
    private readonly UsageMeter _meter;
    private readonly ConnectionSet _connections;

    private Session(ITransport transport, IServer server, UsageMeter meter)
    {
        (Transport, _server, _meter) = (transport, server, meter);
        _connections = new ConnectionSet(transport, server.Address);
    }

    public ITransport Transport { get; }

    public static async Task<Session> StartAsync(
        ITransport transport,
        string directory,
        UsageMeter meter,
        CancellationToken cancellationToken) =>
        new(transport, await transport.StartServerAsync(directory, cancellationToken), meter);

    /// <summary>
    /// Opens or closes connections until there are as many as the scenario needs, and starts the third process if it
    /// needs one. That process stays until the end.
    /// </summary>
    public async Task PrepareAsync(Scenario scenario, CancellationToken cancellationToken)
    {
        await ConnectAsync(scenario.Connections, cancellationToken);
        if (scenario.NeedsPeer)
        {
            await _connections.StartPeerAsync(cancellationToken);
        }
    }

    public Task<RunResult> RunAsync(Scenario scenario, RunLimits limits, CancellationToken cancellationToken) =>
        GuardAsync(scenario.Name, scenario.RunAsync(_connections, limits), limits.Duration, cancellationToken);

    public async Task<Round> MeasureAsync(Scenario scenario, RunLimits limits, CancellationToken cancellationToken)
    {
        var peerBefore = scenario.NeedsPeer ? await _connections.ReadPeerUsageAsync() : null;
        var serverBefore = await _server.ReadUsageAsync();
        var clientBefore = _meter.Read();
        var result = await RunAsync(scenario, limits, cancellationToken);
        var client = _meter.Read() - clientBefore;
        var server = await _server.ReadUsageAsync() - serverBefore;
        var peer = scenario.NeedsPeer ? await _connections.ReadPeerUsageAsync() - peerBefore : null;
        return Round.Create(scenario, result, new RunUsage(client, server, peer));
    }

    /// <summary>The number of methods that all of its processes have compiled.</summary>
    public async Task<long> CountCompiledAsync() =>
        _meter.Read().CompiledMethods
        + ((await _server.ReadUsageAsync())?.CompiledMethods ?? 0)
        + ((await _connections.ReadPeerUsageAsync())?.CompiledMethods ?? 0);

    /// <summary>The processor time of its processes but this one.</summary>
    public async Task<TimeSpan> ReadOtherCpuAsync() =>
        ((await _server.ReadUsageAsync())?.Cpu ?? TimeSpan.Zero)
        + ((await _connections.ReadPeerUsageAsync())?.Cpu ?? TimeSpan.Zero);

    /// <summary>Measures the memory of further connections.</summary>
    public async Task<ChannelMemory> MeasureChannelMemoryAsync(CancellationToken cancellationToken)
    {
        // The first two connections are not measured, since the code that they compile belongs to no connection.
        await ConnectAsync(3, cancellationToken);
        await ConnectAsync(1, cancellationToken);

        var before = await MeasureMemoryAsync();
        await ConnectAsync(1 + MemoryChannels, cancellationToken);
        var idle = await MeasureMemoryAsync();
        await LoadAsync(cancellationToken);
        var loaded = await MeasureMemoryAsync();
        await ConnectAsync(1, cancellationToken);
        return new ChannelMemory(
            Math.Max(0, idle - before) / MemoryChannels,
            Math.Max(0, loaded - before) / MemoryChannels);
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task ConnectAsync(int connections, CancellationToken cancellationToken)
    {
        await _connections.TrimAsync(connections);
        while (_connections.Count < connections)
        {
            var call = _connections.Add().Service.EchoAsync(new Payload(), cancellationToken: cancellationToken);
            await GuardAsync("connecting", call.ResponseAsync, TimeSpan.Zero, cancellationToken);
        }
    }

    private Task<Payload[]> LoadAsync(CancellationToken cancellationToken)
    {
        var message = new Payload { Body = UnsafeByteOperations.UnsafeWrap(new byte[MemoryPayload]) };
        var calls = _connections.All.SelectMany(connection => Enumerable.Range(0, MemoryCallsInFlight)
            .Select(_ => connection.Service.EchoAsync(message, cancellationToken: cancellationToken).ResponseAsync));
        return GuardAsync("large calls", Task.WhenAll(calls), TimeSpan.Zero, cancellationToken);
    }

    private async Task<long> MeasureMemoryAsync() => await _server.MeasureMemoryAsync() + ProcessMemory.Measure();

    private async Task<T> GuardAsync<T>(
        string what, Task<T> task, TimeSpan expected, CancellationToken cancellationToken)
    {
        try
        {
            return await task.WaitAsync(expected + Patience, cancellationToken);
        }
        catch (Exception exception)
            when (exception is TimeoutException or RpcException or IOException or ComparisonException)
        {
            var reason = exception is TimeoutException
                ? $"no end after {(expected + Patience).TotalSeconds:0} s"
                : exception.Message;
            throw new ComparisonException(
                $"{what} over '{Transport.Name}' failed: {reason}", exception);
        }
    }
}
