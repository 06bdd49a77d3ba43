using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>What the methods of a service have in common, whatever streams they have.</summary>
internal abstract class ServiceMethod<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, Endpoint endPoint, ServiceBinding<TService> binding)
    : NativeMethod(method.Name, endPoint, binding.Settings, binding.Surroundings)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected ServiceActivator<TService> Services => binding.Activator;

    protected Func<DeserializationContext, TRequest> Deserialize { get; } =
        method.RequestMarshaller.ContextualDeserializer;

    protected Action<TResponse, SerializationContext> Serialize { get; } =
        method.ResponseMarshaller.ContextualSerializer;

    /// <summary>Answers with the one message of the response, unless the deadline has ended the call.</summary>
    /// <exception cref="RpcException">The handler has returned no message.</exception>
    protected Task AnswerAsync(NativeCallContext context, TResponse? response)
    {
        if (response is null)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "No message returned from method."));
        }

        if (!context.TryStopDeadline())
        {
            return Task.CompletedTask;
        }

        try
        {
            var start = context.StartResponseAsync();
            if (!start.IsCompletedSuccessfully)
            {
                return AnswerAfterAsync(context, start, response);
            }

            context.Write(response, Serialize);
            return Task.CompletedTask;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            GrpcLog.SendFailed(Logger, exception);
            throw;
        }
    }

    private async Task AnswerAfterAsync(NativeCallContext context, Task start, TResponse response)
    {
        try
        {
            await start.ConfigureAwait(false);
            context.Write(response, Serialize);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            GrpcLog.SendFailed(Logger, exception);
            throw;
        }
    }
}
