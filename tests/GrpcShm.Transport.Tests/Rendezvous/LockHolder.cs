using System.Diagnostics;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>Another process that holds locks as a listener does, by <c>flock(1)</c>.</summary>
internal sealed class LockHolder : IDisposable
{
    private readonly Process _process;

    private LockHolder(Process process) => _process = process;

    public static async Task<LockHolder> StartAsync(params string[] paths)
    {
        // The locks are taken in the order of the paths; the innermost program says that all are held.
        List<string> arguments = [];
        foreach (var path in paths)
        {
            arguments.AddRange(["flock", "--no-fork", "--exclusive", path]);
        }

        var process = Process.Start(new ProcessStartInfo(
            "env", [.. arguments, "sh", "-c", "echo held; read line"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        })!;
        var holder = new LockHolder(process);
        Assert.Equal(
            "held",
            await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().InTime());
        return holder;
    }

    public Task ReleaseAsync()
    {
        _process.StandardInput.Close();
        return _process.WaitForExitAsync(TestContext.Current.CancellationToken).InTime();
    }

    public Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        return _process.WaitForExitAsync(TestContext.Current.CancellationToken).InTime();
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
