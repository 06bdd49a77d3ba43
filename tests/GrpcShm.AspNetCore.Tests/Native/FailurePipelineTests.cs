using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>
/// What gRPC itself throws, since a trailer cannot be sent, comes to the middleware that acts on exceptions, whether
/// the call is a native one or not.
/// </summary>
public sealed class FailurePipelineTests
{
    private static readonly Dictionary<string, Action<WebApplication, Scene>> Handlers = new()
    {
        ["none"] = static (_, _) => { },
        ["handler"] = static (app, scene) => app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context =>
            {
                var failure = context.Features.Get<IExceptionHandlerPathFeature>()!;
                scene.Note($"{failure.Error.Message} of {failure.Path} at {failure.Endpoint?.DisplayName}");
                scene.Note($"then {context.GetEndpoint()?.DisplayName ?? "none"}, {context.Response.StatusCode}");
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            },
        }),
        ["path"] = static (app, scene) =>
        {
            app.UseExceptionHandler("/error");
            app.UseRouting();
            app.MapPost("/error", context =>
            {
                scene.Note($"{context.Request.Path}, {context.GetEndpoint()?.DisplayName}");
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            });
        },
        ["service"] = static (app, _) => app.UseExceptionHandler(static _ => { }),
        ["page"] = static (app, _) => app.UseDeveloperExceptionPage(),
    };

    public static TheoryData<string, MethodType, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, MethodType, bool>();
            foreach (var handler in Handlers.Keys)
            {
                foreach (var type in Enum.GetValues<MethodType>())
                {
                    cases.Add(handler, type, true);
                    cases.Add(handler, type, false);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Trailer_ThatCannotBeSent_IsHandledAsInTheFullPipeline(
        string handler, MethodType type, bool hasAnswer)
    {
        var full = await CallAsync(isNative: false, handler, type, hasAnswer);
        var native = await CallAsync(isNative: true, handler, type, hasAnswer);

        Assert.Equal(full, native);

        // What has begun to be sent is handled by nobody.
        Assert.NotEqual(
            hasAnswer || handler == "none", native.Notes.Contains("trailer 'odd'", StringComparison.Ordinal));
    }

    private static async Task<(string View, string Notes)> CallAsync(
        bool isNative, string handler, MethodType type, bool hasAnswer)
    {
        await using var host = await ScriptedHost.StartAsync(
            isNative,
            static services => services
                .AddExceptionHandler<NotingHandler>()
                .AddSingleton<IDeveloperPageExceptionFilter, NotingFilter>(),
            use: app => Handlers[handler](app, app.Services.GetRequiredService<Scene>()));
        Assert.Equal(isNative ? 4 : 0, host.NativeMethods);
        host.Scene.Script = async act =>
        {
            await act.ReadAllAsync();
            act.Context.ResponseTrailers.Add("odd", "two\nlines");
            return hasAnswer ? "done" : throw new RpcException(new Status(StatusCode.NotFound, "Nothing."));
        };
        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(),
            type,
            ["one"],
            new CallOptions(
                deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken));
        await host.Scene.WaitForEndAsync();

        // A client that is late does not read any more what came before the end.
        view = view.Replace("\nresponse: done", "", StringComparison.Ordinal);
        return (view, string.Join('\n', host.Scene.Notes));
    }

    private sealed class NotingHandler(Scene scene) : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(
            HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            scene.Note($"service: {exception.Message} with {string.Join(", ", httpContext.Items.Keys)}");
            return ValueTask.FromResult(false);
        }
    }

    private sealed class NotingFilter(Scene scene) : IDeveloperPageExceptionFilter
    {
        public Task HandleExceptionAsync(ErrorContext errorContext, Func<ErrorContext, Task> next)
        {
            scene.Note($"page: {errorContext.Exception.Message} at {errorContext.HttpContext.GetEndpoint()}");
            return next(errorContext);
        }
    }
}
