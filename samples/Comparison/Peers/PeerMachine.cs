using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Peers;

/// <summary>A machine of the peer process, which counts the events that come, and may send each back.</summary>
internal sealed class PeerMachine : IAsyncDisposable
{
    private readonly string _answerTo;
    private IEventMachine? _machine;
    private Task _lastAnswer = Task.CompletedTask;

    private PeerMachine(PeerRequest request)
    {
        _answerTo = request.AnswerTo;
        Arrivals = new EventArrivals(request.PayloadBytes, request.IsTimed);
    }

    public EventArrivals Arrivals { get; }

    public static async Task<PeerMachine> JoinAsync(IConnection connection, PeerRequest request)
    {
        var machine = new PeerMachine(request);
        machine._machine = await connection.JoinEventsAsync(
            request.MachineId, machine.Take, request.UsesLanes);
        return machine;
    }

    public async ValueTask DisposeAsync()
    {
        // A failure of an answer is one of the measurement.
        await _lastAnswer;
        await _machine!.DisposeAsync();
    }

    private void Take(ReadOnlyMemory<byte> payload)
    {
        Arrivals.Take(payload);
        if (_answerTo.Length > 0)
        {
            // The machine joins before the first event is sent to it.
            _lastAnswer = _machine!.SendAsync(_answerTo, payload.ToArray());
        }
    }
}
