using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>What handlers may do, by a name for each.</summary>
internal static class Scripts
{
    public static readonly IReadOnlyDictionary<string, Func<Act, Task<string>>> All =
        new Dictionary<string, Func<Act, Task<string>>>
        {
            ["answers"] = static async act => string.Join('+', await act.ReadAllAsync()),
            ["answers at once"] = static act => Task.FromResult("at once"),
            ["answers with nothing"] = static act => Task.FromResult<string>(null!),
            ["returns no task"] = static act => null!,
            ["answers twice"] = AnswerTwiceAsync,
            ["throws at once"] = static act => throw new InvalidOperationException("Thrown at once."),
            ["throws later"] = static async act =>
            {
                await act.ReadAllAsync();
                throw new InvalidOperationException("Thrown later.", new FormatException("The cause."));
            },
            ["throws a cancellation"] = static async act =>
            {
                await act.ReadAllAsync();
                throw new OperationCanceledException();
            },
            ["throws a status"] = static async act =>
            {
                await act.ReadAllAsync();
                throw new RpcException(
                    new Status(StatusCode.NotFound, "Größe 100 % – 😀\n"),
                    new Metadata { { "why", "because" }, { "bytes-bin", [1, 2, 255] } });
            },
            ["throws an odd status"] = static act =>
                throw new RpcException(new Status((StatusCode)99, "no such code")),
            ["sets a status"] = static async act =>
            {
                act.Context.Status = new Status(StatusCode.DataLoss, "set");
                act.Context.ResponseTrailers.Add("left", "right");
                return string.Join('+', await act.ReadAllAsync());
            },
            ["sets a trailer that may not be sent"] = static async act =>
            {
                act.Context.ResponseTrailers.Add("odd", "two\nlines");
                await act.ReadAllAsync();

                // The call is reset, which may overtake a message that was sent.
                return act.Responses is null ? "lost" : null!;
            },
            ["sends headers"] = static async act =>
            {
                await act.Context.WriteResponseHeadersAsync(
                    new Metadata { { "first", "1" }, { "first", "2" }, { "bytes-bin", [0, 1] } });
                return string.Join('+', await act.ReadAllAsync());
            },
            ["sends headers twice"] = static async act =>
            {
                await act.Context.WriteResponseHeadersAsync([]);
                await act.Context.WriteResponseHeadersAsync([]);
                return "";
            },
            ["sends a header that may not be sent"] = static async act =>
            {
                await act.Context.WriteResponseHeadersAsync(new Metadata { { "odd", "two\nlines" } });
                return "";
            },
            ["chooses compression"] = static async act =>
            {
                await act.Context.WriteResponseHeadersAsync(
                    new Metadata { { "grpc-internal-encoding-request", "gzip" } });
                return new string('x', 10_000);
            },
            ["does not compress"] = static async act =>
            {
                await act.Context.WriteResponseHeadersAsync(
                    new Metadata { { "grpc-internal-encoding-request", "gzip" } });
                act.Context.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
                return new string('x', 10_000);
            },
            ["writes what cannot be written"] = static act => Task.FromResult(ScriptedMethods.Unwritable),
            ["writes too much"] = static act => Task.FromResult(new string('x', 200_000)),
            ["looks at the call"] = LookAtCallAsync,
            ["looks at the context of HTTP"] = LookAtHttpAsync,
            ["has callbacks"] = HaveCallbacksAsync,
            ["reads on by HTTP"] = static async act =>
            {
                if (act.Requests is not null)
                {
                    act.Note($"{await act.Requests.MoveNext(CancellationToken.None)} {act.Requests.Current}");
                    act.Note($"{await act.CountBodyAsync()} bytes");
                }

                return "read";
            },
        };

    private static async Task<string> AnswerTwiceAsync(Act act)
    {
        if (act.Responses is not null)
        {
            await act.Responses.WriteAsync("first");
            act.Responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
            await act.Responses.WriteAsync("second, held back");
            act.Note(await ThrownAsync(() => act.Responses.WriteAsync(ScriptedMethods.Unwritable)));
            act.Note(await ThrownAsync(() => act.Responses.WriteAsync(null!)));
        }

        return "last";
    }

    private static async Task<string> LookAtCallAsync(Act act)
    {
        var context = act.Context;
        act.Note($"{context.Method} on {context.Host} by {context.Peer}");
        act.Note($"deadline {(context.Deadline == DateTime.MaxValue ? "none" : context.Deadline.Kind.ToString())}");
        var token = context.CancellationToken;
        act.Note($"cancellable {token.CanBeCanceled} {token.IsCancellationRequested}");
        act.Note($"authenticated {context.AuthContext.IsPeerAuthenticated} {context.AuthContext.Properties.Count()}");
        act.Note($"status {context.Status} write options {context.WriteOptions}");
        foreach (var header in context.RequestHeaders)
        {
            act.Note($"{header.Key} {(header.IsBinary ? Convert.ToHexString(header.ValueBytes) : header.Value)}");
        }

        context.UserState["key"] = "value";
        act.Note($"state {context.UserState["key"]}");
        act.Note(await ThrownAsync(() => Task.FromResult(context.CreatePropagationToken())));
        return string.Join('+', await act.ReadAllAsync());
    }

    private static async Task<string> LookAtHttpAsync(Act act)
    {
        var http = act.Context.GetHttpContext();
        var request = http.Request;
        act.Note($"{request.Method} {request.Scheme} {request.Host} {request.Path} {request.Protocol}");
        act.Note($"{http.Request.ContentType} {http.Request.Headers["key"]} {http.Request.QueryString.HasValue}");
        act.Note($"same {ReferenceEquals(http, act.Context.GetHttpContext())}");
        act.Note($"scope {ReferenceEquals(act.Thing, http.RequestServices.GetRequiredService<ScopedThing>())}");
        act.Note($"endpoint {http.GetEndpoint()?.DisplayName}");
        act.Note($"user {http.User.Identity?.IsAuthenticated} {http.Request.RouteValues.Count}");
        var shown = http.Features.Get<IServerCallContextFeature>()?.ServerCallContext;
        act.Note($"call {ReferenceEquals(act.Context, shown)}");
        act.Note($"started {http.Response.HasStarted} {http.Response.StatusCode} {http.Response.ContentType}");
        var isOfConnection = http.TraceIdentifier.StartsWith(http.Connection.Id, StringComparison.Ordinal);
        act.Note($"id {isOfConnection} {http.Connection.RemoteIpAddress}");
        act.Note($"aborted {http.RequestAborted.CanBeCanceled}");
        act.Note($"peer {http.Features.Get<ISharedMemoryConnectionFeature>() is not null}");
        http.Response.Headers["added"] = "by HTTP";
        http.Items["item"] = 7;
        act.Note($"item {act.Context.UserState["item"]}");
        return string.Join('+', await act.ReadAllAsync());
    }

    private static async Task<string> HaveCallbacksAsync(Act act)
    {
        var response = act.Context.GetHttpContext().Response;
        response.OnStarting(() =>
        {
            act.Note("starting");
            response.Headers["late"] = "header";
            return Task.CompletedTask;
        });
        response.OnCompleted(() =>
        {
            act.Note("completed");
            return Task.CompletedTask;
        });
        return string.Join('+', await act.ReadAllAsync());
    }

    private static async Task<string> ThrownAsync(Func<Task> action)
    {
        try
        {
            await action();
            return "nothing thrown";
        }
        catch (Exception exception)
        {
            return $"thrown {exception.GetType().Name}: {exception.Message}";
        }
    }
}
