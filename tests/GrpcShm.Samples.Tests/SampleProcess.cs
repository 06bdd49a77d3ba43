using System.Diagnostics;

namespace GrpcShm.Samples.Tests;

/// <summary>
/// A sample, run as a person would run it. At the end of the test it and the processes that it has started are killed
/// by their ids.
/// </summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    // This only guards against a hang. Each sample has limits of its own, which it reaches earlier, and then it says
    // what it has waited for.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(15);

    private readonly Process _process;

    private SampleProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Runs a sample to its end.</summary>
    public static Task<SampleResult> RunAsync(string sample, params string[] arguments) =>
        RunAsync(sample, arguments, new Dictionary<string, string>());

    /// <summary>Runs a sample to its end, with environment variables.</summary>
    public static async Task<SampleResult> RunAsync(
        string sample, string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        await using var process = Start(sample, arguments, environment);
        var output = process._process.StandardOutput.ReadToEndAsync();
        var error = process._process.StandardError.ReadToEndAsync();
        try
        {
            await process._process.WaitForExitAsync().WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            // This comes before its output is read to the end, since the end does not come otherwise.
            process._process.Kill(entireProcessTree: true);
            Assert.Fail(
                $"{sample} did not end within {Timeout.TotalSeconds:0} s. It said:\n{await output}\n{await error}");
        }

        return new SampleResult(
            process._process.ExitCode, await output.WaitAsync(Timeout), await error.WaitAsync(Timeout));
    }

    public static SampleProcess Start(string sample, params string[] arguments) =>
        Start(sample, arguments, new Dictionary<string, string>());

    private static SampleProcess Start(
        string sample, string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, sample + ".dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new SampleProcess(Process.Start(start)!);
    }

    /// <summary>Reads the output up to the first line that contains a text.</summary>
    public async Task ReadUntilAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Timeout) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"The sample ended without a line that contains '{text}'.");
    }

    /// <summary>The living processes that it has started.</summary>
    public IReadOnlyList<Process> GetChildren() =>
        [.. ChildProcesses.Of(Id).Select(Process.GetProcessById)];

    /// <summary>Kills only this process, as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().InTime();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().InTime();
        }

        _process.Dispose();
    }
}
