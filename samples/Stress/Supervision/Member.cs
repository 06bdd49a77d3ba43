namespace Samples.Stress.Supervision;

/// <summary>One of the processes, through all its lives.</summary>
/// <param name="kind">Its role.</param>
/// <param name="index">Its number among those of its kind.</param>
/// <param name="arguments">The arguments that choose its role.</param>
internal sealed class Member(MemberKind kind, int index, string[] arguments) : IAsyncDisposable
{
    private SampleProcess? _process;

    public MemberKind Kind { get; } = kind;

    public string Name { get; } = kind == MemberKind.Hub ? "hub" : $"{kind.ToString().ToLowerInvariant()}-{index}";

    public int Lives { get; private set; }

    public int Kills { get; private set; }

    /// <summary>True if it was started and not killed since.</summary>
    public bool IsMeantToLive => Volatile.Read(ref _process) is not null;

    /// <summary>True if it has ended although nobody killed it.</summary>
    public bool HasDied => Volatile.Read(ref _process) is { HasExited: true };

    /// <summary>The resources of its first life at the first look, its resources now, and the highest values.</summary>
    public (ProcessFigures First, ProcessFigures Last, ProcessFigures Most)? Figures { get; private set; }

    /// <summary>Starts it, for the first time or again.</summary>
    /// <returns>The line that it wrote when it was ready.</returns>
    public async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        var process = await SampleProcess.StartAsync(arguments, cancellationToken);
        Lives++;
        Volatile.Write(ref _process, process);
        return process.Greeting;
    }

    public async Task KillAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is { } process)
        {
            await process.KillAsync();
            await process.DisposeAsync();
            Kills++;
        }
    }

    public Task TellAsync(string line, CancellationToken cancellationToken) =>
        _process?.TellAsync(line, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        _process is { } process ? await process.WaitForExitAsync(timeout, cancellationToken) : 0;

    /// <summary>Measures its resources.</summary>
    public ProcessFigures? Look()
    {
        if (Volatile.Read(ref _process) is { } process && ProcessFigures.Read(process.Id) is { } now)
        {
            Figures =
                Figures is { } before ? (before.First, now, ProcessFigures.Max(before.Most, now)) : (now, now, now);
            return now;
        }

        return null;
    }

    /// <summary>Asks it to end, and kills it if it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is { } process)
        {
            await process.DisposeAsync();
        }
    }
}
