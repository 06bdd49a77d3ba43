using Microsoft.Extensions.Hosting;

namespace Samples.BringYourOwnService.Server;

/// <summary>
/// Lets the first process decide when the server ends. Ctrl+C reaches both at once; if the server ended by itself then, the
/// client would take it for a failure.
/// </summary>
internal sealed class ParentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
