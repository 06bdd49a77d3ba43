using Microsoft.Extensions.Hosting;

namespace Samples;

/// <summary>
/// Lets the first process decide when the second process ends. Ctrl+C reaches both at once. If the server then ended by
/// itself, the first process would take this for a failure.
/// </summary>
internal sealed class ParentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
