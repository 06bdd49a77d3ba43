using System.Collections.Concurrent;
using System.Diagnostics;

namespace GrpcShm.Hosting.Tests.Docs;

/// <summary>
/// A running program of a page. A shell starts it, and ends it when this process closes the shell's input or dies: the
/// program does not outlive its test.
/// </summary>
internal sealed class PageProcess : IAsyncDisposable
{
    private const string Script = "\"$0\" \"$@\" & program=$!; cat >/dev/null; kill $program; wait $program";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private PageProcess(Process process) => _process = process;

    /// <summary>Starts a program whose working directory is the place of its configuration.</summary>
    public static PageProcess Start(string program, string directory)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, Path.Join(AppContext.BaseDirectory, program)])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Only the page decides on which endpoints the program listens.
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment.Remove("ASPNETCORE_HTTP_PORTS");
        var process = new PageProcess(Process.Start(start)!);
        process._process.OutputDataReceived += (_, line) => process._lines.Enqueue(line.Data ?? "");
        process._process.ErrorDataReceived += (_, line) => process._lines.Enqueue(line.Data ?? "");
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Waits until it has written this text.</summary>
    public Task SaysAsync(string text) => TimeLimit.UntilAsync(
        () => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)),
        () => $"The program does not say '{text}', but:\n{string.Join('\n', _lines)}");

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeLimit.Value);
        }
        finally
        {
            _process.Kill(entireProcessTree: true);
            _process.Dispose();
        }
    }
}
