using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using GrpcShm.TestHost;

namespace GrpcShm.FaultInjection.Processes;

/// <summary>
/// A <c>GrpcShm.TestHost</c> that may be killed. It ends with this process, which closes its standard input.
/// </summary>
internal sealed partial class Host : IAsyncDisposable
{
    private const int KillSignal = 9;
    private const int ContinueSignal = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly Channel<HostMessage> _messages = Channel.CreateUnbounded<HostMessage>();
    private readonly TaskCompletionSource<long> _dying = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<string> _log = new();
    private readonly Task _reading;
    private int _rounds;

    private Host(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadMessagesAsync(), ReadLogAsync());
    }

    public int Id => _process.Id;

    /// <summary>Completes with the time when it has come to its step; fails if it ends before.</summary>
    public Task<long> Dying => _dying.Task;

    /// <summary>The number of finished rounds of its scenario.</summary>
    public int Rounds => Volatile.Read(ref _rounds);

    /// <summary>The last lines of its log.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join(Environment.NewLine, _log);
            }
        }
    }

    /// <summary>Starts one and waits until it is ready.</summary>
    public static async Task<Host> StartAsync(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "GrpcShm.TestHost"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Only this program decides on which endpoints it listens.
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment.Remove("ASPNETCORE_HTTP_PORTS");
        var host = new Host(Process.Start(start)!);
        try
        {
            await host.ReadAsync(HostMessage.Ready);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a line to it.</summary>
    public async Task TellAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Writes a line to it and waits for its answer.</summary>
    public async Task<HostMessage> AskAsync(string line, string answer)
    {
        await TellAsync(line);
        return await ReadAsync(answer);
    }

    /// <summary>Kills it at once.</summary>
    /// <returns>The time of the kill.</returns>
    public long Kill()
    {
        var now = Stopwatch.GetTimestamp();
        _ = SendSignal(Id, KillSignal);
        return now;
    }

    /// <summary>Lets it go on where it stands still.</summary>
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

    /// <summary>Waits until its scenario has finished one more round.</summary>
    public async Task WhenRoundAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        var before = Rounds;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; await timer.WaitForNextTickAsync())
        {
            if (Rounds > before)
            {
                return;
            }
        }

        throw new TimeoutException($"The process {Id} does not go on. {Log}");
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
                await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopTime);
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

    private async Task<HostMessage> ReadAsync(string kind)
    {
        HostMessage message;
        try
        {
            message = await _messages.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is ChannelClosedException or TimeoutException)
        {
            throw new InvalidOperationException($"The process {Id} did not say '{kind}'. {Log}", exception);
        }

        return message.Kind == kind
            ? message
            : throw new InvalidOperationException(
                $"The process {Id} said '{message.Kind}' instead of '{kind}'. "
                + $"{string.Join(" / ", message.Errors)} {Log}");
    }

    private async Task ReadMessagesAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(HostMessage.Dying, StringComparison.Ordinal))
            {
                _dying.TrySetResult(long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
                continue;
            }

            var message = HostMessage.Parse(line);
            if (message.Kind == HostMessage.Round)
            {
                Interlocked.Increment(ref _rounds);
            }
            else
            {
                _messages.Writer.TryWrite(message);
                if (message.Kind == HostMessage.Failed)
                {
                    _dying.TrySetException(new InvalidOperationException(
                        $"The process {Id} failed by itself: {string.Join(" / ", message.Errors)}"));
                }
            }
        }

        _messages.Writer.Complete();
        _dying.TrySetException(
            new InvalidOperationException($"The process {Id} ended before it came to its step. {Log}"));
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_log)
            {
                _log.Enqueue(line);
                if (_log.Count > 30)
                {
                    _log.Dequeue();
                }
            }
        }
    }
}
