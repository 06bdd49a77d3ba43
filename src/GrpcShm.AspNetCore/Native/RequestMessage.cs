using System.IO.Pipelines;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Reads the message of a request that has one alone. By the handler.</summary>
internal static class RequestMessage
{
    /// <summary>Reads the message, and finds that none follows.</summary>
    /// <exception cref="RpcException">There is none, or more than one, or it is larger than allowed.</exception>
    public static ValueTask<T> ReadAsync<T>(NativeCallContext context, Func<DeserializationContext, T> deserialize)
        where T : class
    {
        T? request = null;
        try
        {
            // Most requests are here in full when the handler begins.
            return context.Input.TryRead(out var read) && Take(context, read, deserialize, ref request)
                ? new ValueTask<T>(request!)
                : ReadRestAsync(context, deserialize, request);
        }
        catch (Exception exception)
        {
            Fail(context, exception, request);
            throw;
        }
    }

    private static async ValueTask<T> ReadRestAsync<T>(
        NativeCallContext context, Func<DeserializationContext, T> deserialize, T? request)
        where T : class
    {
        try
        {
            while (true)
            {
                var read = await context.Input.ReadAsync().ConfigureAwait(false);
                if (Take(context, read, deserialize, ref request))
                {
                    return request!;
                }
            }
        }
        catch (Exception exception)
        {
            Fail(context, exception, request);
            throw;
        }
    }

    /// <summary>Ends the reading of a request that failed.</summary>
    /// <param name="context">The call.</param>
    /// <param name="exception">The failure.</param>
    /// <param name="request">The message, if it had come. No handler gets it, so a loan is given back.</param>
    private static void Fail(NativeCallContext context, Exception exception, object? request)
    {
        (request as ICallBound)?.EndWithCall();
        if (exception is not OperationCanceledException)
        {
            GrpcLog.ReadFailed(context.Native.Logger, exception);
            context.TellEncodings(exception);
        }
    }

    /// <summary>Takes what has been read.</summary>
    /// <returns>True if the message is there, and the request has ended.</returns>
    private static bool Take<T>(
        NativeCallContext context, in ReadResult read, Func<DeserializationContext, T> deserialize, ref T? request)
        where T : class
    {
        var data = read.Buffer;
        try
        {
            if (read.IsCanceled)
            {
                throw Create("Incoming message cancelled.");
            }

            if (!data.IsEmpty && request is null)
            {
                context.Parts.Reader.TryTake(ref data, deserialize, out request);
            }

            if (request is not null && !data.IsEmpty)
            {
                throw Create("Additional data after the message received.");
            }

            if (read.IsCompleted && request is null)
            {
                throw Create("Incomplete message.");
            }

            return read.IsCompleted;
        }
        finally
        {
            context.Input.AdvanceTo(data.Start, request is null ? data.End : data.Start);
        }
    }

    private static RpcException Create(string detail) => new(new Status(StatusCode.Internal, detail));
}
