using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>A running <c>GrpcShm.TestHost</c>, which does not outlive its test.</summary>
public sealed partial class HostProcess : IAsyncDisposable
{
    private const int KeptLogLines = 200;
    private const int StopSignal = 19;
    private const int ContinueSignal = 18;

    // That of another version, if a run is about a client and a server of two versions (step "mixtures" of .ci/run).
    private static readonly string Program = Environment.GetEnvironmentVariable("GRPCSHM_TEST_HOST")
        ?? Path.Combine(AppContext.BaseDirectory, "GrpcShm.TestHost");

    private readonly Process _process;
    private readonly Channel<HostMessage> _messages = Channel.CreateUnbounded<HostMessage>();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly Task _reading;
    private bool _mayEnd;

    private HostProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadMessagesAsync(), ReadLogAsync());
    }

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>The message of the process when it was ready.</summary>
    public HostMessage Ready { get; private set; } = new("", 0);

    /// <summary>The last lines of its log.</summary>
    public string Log => string.Join(Environment.NewLine, _log);

    /// <summary>Starts a process and waits until it is ready.</summary>
    public static Task<HostProcess> StartAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(arguments, environment).WhenReadyAsync();

    /// <summary>Starts a process in a container of its own and waits until it is ready.</summary>
    /// <param name="directory">The one directory that it shares with others.</param>
    /// <param name="arguments">The process's arguments.</param>
    public static Task<HostProcess> StartContainedAsync(string directory, params IEnumerable<string> arguments) =>
        StartContained(directory, arguments).WhenReadyAsync();

    /// <summary>Starts a process in a container of its own; the caller waits until it is ready.</summary>
    /// <param name="directory">The one directory that it shares with others.</param>
    /// <param name="arguments">The process's arguments.</param>
    public static HostProcess StartContained(string directory, params IEnumerable<string> arguments) =>
        Start(Container.Command(directory, [Program, .. arguments]));

    /// <summary>
    /// Starts a process with a listening socket that is passed to it, as systemd does, and waits until it is ready.
    /// </summary>
    /// <param name="descriptor">The descriptor of the socket. A child process must inherit it under the same
    /// number.</param>
    /// <param name="arguments">The process's arguments.</param>
    public static Task<HostProcess> StartActivatedAsync(int descriptor, params IEnumerable<string> arguments)
    {
        // The shell becomes the process, so it knows the process's id. The passed descriptors begin at 3.
        var script = $"LISTEN_PID=$$ LISTEN_FDS={descriptor - 2} exec \"$0\" \"$@\"";
        return Start(new ProcessStartInfo("/bin/sh", ["-c", script, Program, .. arguments])).WhenReadyAsync();
    }

    /// <summary>Starts a process that may fail; the caller reads its messages.</summary>
    public static HostProcess Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(new ProcessStartInfo(Program, arguments), environment);

    private static HostProcess Start(ProcessStartInfo start, IReadOnlyDictionary<string, string>? environment = null)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;

        // Only the test decides on which endpoints the process listens.
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment.Remove("ASPNETCORE_HTTP_PORTS");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it is ready.</summary>
    public async Task<HostProcess> WhenReadyAsync()
    {
        try
        {
            Ready = await ReadAsync(HostMessage.Ready);
            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for the next message, which must be of this kind.</summary>
    public async Task<HostMessage> ReadAsync(string kind)
    {
        var message = await ReadAsync();
        Assert.True(
            message.Kind == kind,
            $"The process said '{message.Kind}', not '{kind}'. "
            + $"{string.Join(" / ", message.Errors)}{Environment.NewLine}{Log}");
        return message;
    }

    /// <summary>Waits for the next message.</summary>
    public async Task<HostMessage> ReadAsync()
    {
        try
        {
            return await _messages.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().InTime();
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException(
                $"The process {Id} has ended without a word.{Environment.NewLine}{Log}");
        }
    }

    /// <summary>Sends a line to its standard input.</summary>
    public Task WriteAsync(string line) => _process.StandardInput.WriteLineAsync(line).InTime();

    /// <summary>Freezes it at once, until <see cref="Thaw"/>.</summary>
    public void Freeze() => Signal(StopSignal);

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Signal(ContinueSignal);

    /// <summary>Ends it at once, as SIGKILL does.</summary>
    public async Task KillAsync()
    {
        _mayEnd = true;
        _process.Kill();
        await WaitForExitAsync();
    }

    /// <summary>Asks it to end in order, and waits for its end.</summary>
    public async Task StopAsync()
    {
        await RequestStopAsync();
        await ReadAsync(HostMessage.Stopped);
        await WaitForExitAsync();
        Assert.Equal(0, _process.ExitCode);
    }

    /// <summary>Asks it to end in order.</summary>
    public Task RequestStopAsync()
    {
        _mayEnd = true;
        return WriteAsync("stop");
    }

    /// <summary>Waits until it has ended and returns its exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        _mayEnd = true;
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).InTime();
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The process had died, although no test had asked for it.</exception>
    public async ValueTask DisposeAsync()
    {
        var died = _process.HasExited && !_mayEnd;
        if (!_process.HasExited)
        {
            // A fixture is disposed of outside of a test, so there is no token of a test.
            _process.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None).InTime();
            }
        }

        await _reading.InTime();
        var exitCode = _process.ExitCode;
        _process.Dispose();
        if (died)
        {
            // This is the cause, whatever the failed test has reported before.
            throw new InvalidOperationException(
                $"A host died with the exit code {exitCode}.{Environment.NewLine}{Log}");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    private void Signal(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

    private async Task ReadMessagesAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _messages.Writer.TryWrite(HostMessage.Parse(line));
        }

        _messages.Writer.Complete();
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            _log.Enqueue(line);
            while (_log.Count > KeptLogLines)
            {
                _log.TryDequeue(out _);
            }
        }
    }
}
