using Grpc.Core;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Serving;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>One transport while it is compared: its server process and the connections to it.</summary>
internal sealed class Session : IAsyncDisposable
{
    // Far longer than any run that works, so that a transport that has lost a call ends the comparison with its name.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServerProcess _server;
    private readonly List<ChannelBase> _channels = [];
    private readonly List<Measured.MeasuredClient> _clients = [];

    private Session(ITransport transport, ServerProcess server)
    {
        Transport = transport;
        _server = server;
    }

    public ITransport Transport { get; }

    public static async Task<Session> StartAsync(
        ITransport transport,
        string directory,
        CancellationToken cancellationToken)
    {
        var session = new Session(transport, await ServerProcess.StartAsync(transport, directory, cancellationToken));
        try
        {
            // The first connection serves all scenarios that need no more than one, and asks for the server's usage.
            session.Connect(1);
            await session.GuardAsync("the first call", session.ReadServerUsageAsync(), TimeSpan.Zero, cancellationToken);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has as many connections as the scenario wants, and no more.</summary>
    public async Task PrepareAsync(Scenario scenario, CancellationToken cancellationToken)
    {
        while (_channels.Count > scenario.Connections)
        {
            var last = _channels.Count - 1;
            await CloseAsync(_channels[last]);
            _channels.RemoveAt(last);
            _clients.RemoveAt(last);
        }

        Connect(scenario.Connections);
        foreach (var client in _clients)
        {
            var call = client.EchoAsync(new Payload(), cancellationToken: cancellationToken);
            await GuardAsync("connecting", call.ResponseAsync, TimeSpan.Zero, cancellationToken);
        }
    }

    public Task<RunResult> RunAsync(Scenario scenario, RunLimits limits, CancellationToken cancellationToken) =>
        GuardAsync(scenario.Name, scenario.RunAsync(_clients, limits), limits.Duration, cancellationToken);

    public async Task<Round> MeasureAsync(Scenario scenario, RunLimits limits, CancellationToken cancellationToken)
    {
        var serverBefore = await ReadServerUsageAsync();
        var clientBefore = ResourceUsage.OfThisProcess();
        var result = await RunAsync(scenario, limits, cancellationToken);
        var client = ResourceUsage.OfThisProcess() - clientBefore;
        var server = await ReadServerUsageAsync() - serverBefore;
        return Round.Create(scenario, result, client, server);
    }

    public async Task<ResourceUsage> ReadServerUsageAsync()
    {
        var usage = await _clients[0].ReadUsageAsync(new UsageRequest());
        return new ResourceUsage(TimeSpan.FromTicks(usage.CpuTicks), usage.AllocatedBytes, usage.CompiledMethods);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            await CloseAsync(channel);
        }

        await _server.DisposeAsync();
    }

    private static async Task CloseAsync(ChannelBase channel)
    {
        await channel.ShutdownAsync();
        (channel as IDisposable)?.Dispose();
    }

    private void Connect(int connections)
    {
        while (_channels.Count < connections)
        {
            var channel = Transport.CreateChannel(_server.Address);
            _channels.Add(channel);
            _clients.Add(new Measured.MeasuredClient(channel));
        }
    }

    private async Task<T> GuardAsync<T>(string what, Task<T> task, TimeSpan expected, CancellationToken cancellationToken)
    {
        try
        {
            return await task.WaitAsync(expected + Patience, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or RpcException or IOException or ComparisonException)
        {
            var reason = exception is TimeoutException
                ? $"no end after {(expected + Patience).TotalSeconds:0} s"
                : exception.Message;
            throw new ComparisonException(
                $"{what} over '{Transport.Name}' failed: {reason}{_server.DescribeErrors()}", exception);
        }
    }
}
