using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A method with one request and a stream of responses.</summary>
internal sealed class ServerStreamingMethod<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService, TRequest, TResponse>
    : ServiceMethod<TService, TRequest, TResponse>
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private readonly ServerStreamingServerMethod<TService, TRequest, TResponse> _method;
    private readonly ServerStreamingServerMethod<TRequest, TResponse> _handler;

    public ServerStreamingMethod(
        Method<TRequest, TResponse> method,
        ServerStreamingServerMethod<TService, TRequest, TResponse> handler,
        Endpoint endPoint,
        ServiceBinding<TService> binding)
        : base(method, endPoint, binding)
    {
        _method = handler;
        _handler = binding.Interceptors.Around<TRequest, TResponse>(CallAsync);
    }

    protected override async Task HandleAsync(NativeCallContext context)
    {
        var request = await RequestMessage.ReadAsync(context, Deserialize).ConfigureAwait(false);
        var responses = new NativeResponseStream<TResponse>(context, Serialize);
        context.Use(responses);
        try
        {
            await _handler(request, responses, context).ConfigureAwait(false);
        }
        finally
        {
            responses.Complete();
        }
    }

    private async Task CallAsync(
        TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context)
    {
        var service = Services.Create(context);
        try
        {
            await _method(service.Instance, request, responses, context).ConfigureAwait(false);
        }
        finally
        {
            await Services.ReleaseAsync(service).ConfigureAwait(false);
        }
    }
}
