using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Samples;

/// <summary>
/// Lets Kestrel listen on named pipes on systems other than Windows. Kestrel's own transport for named pipes does not
/// exist there, and .NET makes named pipes from Unix sockets.
/// </summary>
internal sealed class NamedPipeListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is NamedPipeEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        endpoint is NamedPipeEndPoint pipe
            ? ValueTask.FromResult<IConnectionListener>(new NamedPipeListener(pipe))
            : throw new NotSupportedException($"{endpoint.GetType()} is no named pipe.");
}
