using System.Globalization;
using Samples.WaferFab.Planning;

namespace Samples.WaferFab.Scheduling;

/// <summary>The tools' processes and their journals.</summary>
internal sealed class ToolPark(SampleEndpoint hub) : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("waferfab-");
    private readonly Dictionary<string, SampleProcess> _processes = [];
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Fails when a process ends although nobody asked it to end.</summary>
    public Task Failed => _failed.Task;

    /// <summary>The files in which the tools record their finished steps.</summary>
    public IReadOnlyDictionary<string, string> Journals => Route.Tools.ToDictionary(tool => tool, JournalPath);

    public void StartAll()
    {
        foreach (var tool in Route.Tools)
        {
            Start(tool);
        }
    }

    /// <summary>Starts a tool's process, for the first time or again.</summary>
    public void Start(string tool)
    {
        var kind = hub.Kind.ToString().ToLower(CultureInfo.InvariantCulture);
        var process = SampleProcess.Start(["tool", tool, JournalPath(tool), "--transport", kind, hub.Address]);
        _processes.Add(tool, process);
        _ = process.Failed.ContinueWith(
            failed => _failed.TrySetException(
                new IOException($"{tool} failed: {failed.Exception!.InnerException!.Message}")),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Kills a tool's process.</summary>
    public async Task KillAsync(string tool)
    {
        _processes.Remove(tool, out var process);
        await process!.KillAsync();
        await process.DisposeAsync();
    }

    /// <summary>Asks all processes to end.</summary>
    /// <returns>The number of events that each reports as sent.</returns>
    public async Task<IReadOnlyDictionary<string, long>> EndAllAsync(CancellationToken cancellationToken)
    {
        var sent = new Dictionary<string, long>();
        foreach (var (tool, process) in _processes)
        {
            sent.Add(tool, ReadSent(tool, await process.EndAsync(cancellationToken)));
        }

        return sent;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values)
        {
            await process.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    private static long ReadSent(string tool, string line) => line.StartsWith("sent ", StringComparison.Ordinal)
        ? long.Parse(line["sent ".Length..], CultureInfo.InvariantCulture)
        : throw new IOException($"{tool} said '{line}' at its end instead of how many events it has sent.");

    private string JournalPath(string tool) => Path.Combine(_directory.FullName, tool + ".journal");
}
