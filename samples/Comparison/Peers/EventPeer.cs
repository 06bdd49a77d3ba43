using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Peers;

/// <summary>The measuring process's side of the peer process.</summary>
internal sealed class EventPeer : IAsyncDisposable
{
    /// <summary>The command that starts a peer process.</summary>
    public const string Command = "peer";

    private readonly SampleProcess _process;

    private EventPeer(SampleProcess process) => _process = process;

    public static async Task<EventPeer> StartAsync(
        ITransport transport, string address, CancellationToken cancellationToken)
    {
        try
        {
            return new EventPeer(
                await SampleProcess.StartAsync([Command, transport.Name, address], cancellationToken));
        }
        catch (IOException exception)
        {
            throw new ComparisonException(
                $"The peer process of '{transport.Name}' does not start: {exception.Message}", exception);
        }
    }

    public Task<ResourceUsage> ReadUsageAsync() => AskAsync<ResourceUsage>(new PeerRequest(PeerRequestKind.Usage));

    /// <summary>Lets a machine join that counts the events that come to it.</summary>
    public Task ReceiveAsync(string machineId, int payloadBytes, bool isTimed = false, bool usesLanes = false) =>
        AskAsync<PeerArrivals>(new PeerRequest(
            PeerRequestKind.Join, machineId, PayloadBytes: payloadBytes, IsTimed: isTimed, UsesLanes: usesLanes));

    /// <summary>Lets a machine join that sends each event to another machine.</summary>
    public Task EchoAsync(string machineId, string answerTo, int payloadBytes, bool usesLanes) =>
        AskAsync<PeerArrivals>(new PeerRequest(
            PeerRequestKind.Join, machineId, answerTo, payloadBytes, UsesLanes: usesLanes));

    /// <summary>Waits until all events have come to the machine, and lets it leave.</summary>
    /// <returns>The latencies of the events, if they were measured.</returns>
    /// <exception cref="ComparisonException">An event is missing, damaged or out of order.</exception>
    public async Task<long[]> LeaveAsync(long expected)
    {
        var arrivals = await AskAsync<PeerArrivals>(new PeerRequest(PeerRequestKind.Leave, Expected: expected));
        return arrivals.Failure is null ? arrivals.Latencies : throw new ComparisonException(arrivals.Failure);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<T> AskAsync<T>(PeerRequest request) => JsonSerializer.Deserialize<T>(
        await _process.AskAsync(JsonSerializer.Serialize(request), CancellationToken.None))!;
}
