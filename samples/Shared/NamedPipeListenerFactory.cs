using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Samples;

/// <summary>
/// Lets Kestrel listen on named pipes where its own transport for them does not exist: everywhere but on Windows, where
/// .NET makes named pipes of Unix sockets.
/// </summary>
internal sealed class NamedPipeListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is NamedPipeEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        endpoint is NamedPipeEndPoint pipe
            ? ValueTask.FromResult<IConnectionListener>(new NamedPipeListener(pipe))
            : throw new NotSupportedException($"{endpoint.GetType()} is no named pipe.");
}
