using GrpcShm.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extensions.</summary>
public static class SharedMemoryHttpClientBuilderExtensions
{
    /// <summary>Uses.</summary>
    public static IHttpClientBuilder UseSharedMemory(this IHttpClientBuilder builder, string address, Action<SharedMemoryClientOptions>? configure = null) => throw new NotImplementedException();
}
