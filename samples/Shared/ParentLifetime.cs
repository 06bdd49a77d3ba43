using Microsoft.Extensions.Hosting;

namespace Samples;

/// <summary>
/// Lets the first process decide when the second ends. Ctrl+C reaches both at once; if the server ended by itself then,
/// the player would take it for a failure.
/// </summary>
internal sealed class ParentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
