using GrpcShm.FaultInjection.Planning;

namespace GrpcShm.FaultInjection.Processes;

/// <summary>
/// Starts the victims of the next deaths while the current death is examined, since a start takes longer than a death.
/// </summary>
internal sealed class VictimPool(IEnumerable<Fault> faults, Endpoints endpoints) : IAsyncDisposable
{
    private const int Ahead = 2;

    private readonly IEnumerator<Fault> _faults = faults.GetEnumerator();
    private readonly Queue<(Fault Fault, Task<Host> Host)> _started = new();

    /// <summary>The next death and its victim; <see langword="null"/> when there are no more.</summary>
    public async Task<(Fault Fault, Host Victim)?> NextAsync()
    {
        while (_started.Count <= Ahead && _faults.MoveNext())
        {
            _started.Enqueue((_faults.Current, StartAsync(_faults.Current)));
        }

        return _started.TryDequeue(out var next) ? (next.Fault, await next.Host) : null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, host) in _started)
        {
            await (await host).DisposeAsync();
        }

        _faults.Dispose();
    }

    private Task<Host> StartAsync(Fault fault) => fault.Side == Side.Client
        ? Host.StartAsync(
        [
            "call", "--scenario", "exchange", "--address", endpoints.Steady.ToString(), "--mode", fault.Mode.ToString(),
            .. endpoints.Arguments,
        ])
        : Host.StartAsync(
        [
            "serve",
            "--on-demand",
            "--listen", endpoints.Mortal.ToString(),
            "--shutdown-timeout", fault.NeedsImpatience ? "00:00:00.1" : "00:00:30",
            .. endpoints.Arguments,
        ]);
}
