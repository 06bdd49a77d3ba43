using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.FaultInjection.Lanes;

/// <summary>A <c>GrpcShm.EventBus.TestProcess</c> that may be killed. It ends with this process.</summary>
internal sealed partial class LaneProcess : IAsyncDisposable
{
    public const int KillSignal = 9;
    public const int StopSignal = 19;
    private const int ContinueSignal = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _reading;
    private TaskCompletionSource _there = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LaneProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    public int Id => _process.Id;

    /// <summary>Completes when it has come to the step that it was told last.</summary>
    public Task There => _there.Task;

    /// <summary>Starts one in a role, and waits until it is ready.</summary>
    /// <param name="directory">Where its endpoints have their files.</param>
    /// <param name="role">The arguments.</param>
    public static async Task<LaneProcess> StartAsync(string directory, params string[] role)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(LaneFault).Assembly.Location);
        foreach (var argument in role)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["XDG_RUNTIME_DIR"] = directory;
        var process = new LaneProcess(Process.Start(start)!);
        try
        {
            return await process.AskAsync(null) == "ready"
                ? process
                : throw new InvalidOperationException($"The process '{role[0]}' is not ready.");
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells it the step at which it sends a signal to a process.</summary>
    public async Task ArmAsync(LaneDeath fault, int victim)
    {
        _there = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var signal = fault.Death == Planning.Death.Killed ? KillSignal : StopSignal;
        await AskAsync($"fault {fault.Step} {fault.Times} {victim} {signal}");
    }

    /// <summary>Writes a line, if there is one, and waits for the next line of its answers.</summary>
    /// <exception cref="TimeoutException">There is none.</exception>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public async Task<string> AskAsync(string? line)
    {
        try
        {
            if (line is not null)
            {
                await _process.StandardInput.WriteLineAsync(line);
                await _process.StandardInput.FlushAsync();
            }

            return await _lines.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is IOException or ChannelClosedException)
        {
            throw new InvalidOperationException($"The process {Id} has ended.", exception);
        }
    }

    public void Kill() => _ = SendSignal(Id, KillSignal);

    public void Thaw() => _ = SendSignal(Id, ContinueSignal);

    /// <summary>Waits until the kernel says that it stands still.</summary>
    public async Task WhenFrozenAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; await timer.WaitForNextTickAsync())
        {
            // The state comes after the name in parentheses, which may contain anything.
            var status = await File.ReadAllTextAsync($"/proc/{Id}/stat");
            if (status[(status.LastIndexOf(')') + 2)..].StartsWith('T'))
            {
                return;
            }
        }

        throw new TimeoutException($"The process {Id} does not stand still.");
    }

    public Task WhenGoneAsync() => _process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Thaw();
            _process.StandardInput.Close();
            try
            {
                await WhenGoneAsync();
            }
            catch (TimeoutException)
            {
                Kill();
                await WhenGoneAsync();
            }
        }

        await _reading;
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == LaneFault.There)
            {
                _there.TrySetResult();
            }
            else
            {
                _lines.Writer.TryWrite(line);
            }
        }

        _lines.Writer.Complete();
    }
}
