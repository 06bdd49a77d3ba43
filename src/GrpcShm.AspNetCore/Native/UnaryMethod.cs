using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A method with one request and one response.</summary>
internal sealed class UnaryMethod<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService, TRequest, TResponse>
    : ServiceMethod<TService, TRequest, TResponse>
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private readonly UnaryServerMethod<TService, TRequest, TResponse> _method;
    private readonly UnaryServerMethod<TRequest, TResponse> _handler;

    public UnaryMethod(
        Method<TRequest, TResponse> method,
        UnaryServerMethod<TService, TRequest, TResponse> handler,
        Endpoint endPoint,
        ServiceBinding<TService> binding)
        : base(method, endPoint, binding)
    {
        _method = handler;
        _handler = binding.Interceptors.IsEmpty
            ? CallAsync
            : binding.Interceptors.Around<TRequest, TResponse>(CallFromInterceptorAsync);
    }

    protected override Task HandleAsync(NativeCallContext context)
    {
        var reading = RequestMessage.ReadAsync(context, Deserialize);
        if (!reading.IsCompletedSuccessfully)
        {
            return HandleAsync(context, reading);
        }

        var calling = _handler(reading.Result, context);
        return calling.IsCompletedSuccessfully
            ? AnswerAsync(context, calling.Result)
            : AnswerAsync(context, calling);
    }

    private async Task HandleAsync(NativeCallContext context, ValueTask<TRequest> reading) =>
        await AnswerAsync(context, _handler(await reading.ConfigureAwait(false), context)).ConfigureAwait(false);

    private async Task AnswerAsync(NativeCallContext context, Task<TResponse> calling) =>
        await AnswerAsync(context, await calling.ConfigureAwait(false)).ConfigureAwait(false);

    // An interceptor gets a task in any case, also if no service can be made.
    private async Task<TResponse> CallFromInterceptorAsync(TRequest request, ServerCallContext context) =>
        await CallAsync(request, context).ConfigureAwait(false);

    private Task<TResponse> CallAsync(TRequest request, ServerCallContext context)
    {
        var service = Services.Create(context);
        Task<TResponse> calling;
        try
        {
            calling = _method(service.Instance, request, context);
        }
        catch (Exception exception)
        {
            calling = Task.FromException<TResponse>(exception);
        }

        if (calling is not { IsCompletedSuccessfully: true })
        {
            return ReleaseAfterAsync(calling, service);
        }

        var release = Services.ReleaseAsync(service);
        return release.IsCompletedSuccessfully ? calling : ReturnAfterAsync(release, calling);
    }

    private async Task<TResponse> ReleaseAfterAsync(Task<TResponse> calling, GrpcActivatorHandle<TService> service)
    {
        try
        {
            return await calling.ConfigureAwait(false);
        }
        finally
        {
            await Services.ReleaseAsync(service).ConfigureAwait(false);
        }
    }

    private static async Task<TResponse> ReturnAfterAsync(ValueTask release, Task<TResponse> calling)
    {
        await release.ConfigureAwait(false);
        return await calling.ConfigureAwait(false);
    }
}
