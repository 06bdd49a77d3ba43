using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using GrpcShm.AspNetCore.Native;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>How native calls end, whatever their handlers leave behind.</summary>
public sealed class ServerCallLifeTests
{
    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Handler_ThatAnswersBehindItsDeadline_IsNotHeard(MethodType type)
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        var isOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Scene.Script = async act =>
        {
            await isOver.Task.InTime();
            act.Context.ResponseTrailers.Add("late", "trailer");
            return "too late";
        };

        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), type, ["one"], Options(DateTime.UtcNow.AddMilliseconds(200)));
        isOver.SetResult();
        await host.Scene.WaitForEndAsync();

        Assert.Contains("status: DeadlineExceeded", view, StringComparison.Ordinal);
        Assert.DoesNotContain("late", view, StringComparison.Ordinal);
        await AnswerAsync(host);
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Client_ThatGivesUp_EndsTheHandlerAsInFull(MethodType type)
    {
        foreach (var deadline in new DateTime?[] { null, DateTime.UtcNow.AddDays(1) })
        {
            CancellationTokenSource giveUp = null!;
            await CompareAsync(
                async act =>
                {
                    await giveUp.CancelAsync();
                    await UntilCancelledAsync(act.Context.CancellationToken);
                    act.Note("cancelled");
                    throw new OperationCanceledException(act.Context.CancellationToken);
                },
                async host =>
                {
                    using var source = new CancellationTokenSource();
                    giveUp = source;
                    var view = await ClientView.MakeAsync(
                        host.Channel.CreateCallInvoker(), type, ["one"], new CallOptions([], deadline, source.Token));
                    await host.Scene.WaitForEndAsync();
                    return view;
                });
        }
    }

    [Fact]
    public async Task WhatAHandlerKeeps_SaysThatTheCallIsOver()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        Act kept = null!;
        host.Scene.Script = async act =>
        {
            kept = act;
            await act.ReadAllAsync();
            return "done";
        };
        await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.DuplexStreaming, ["one"], Options());
        await host.Scene.WaitForEndAsync();

        var read = await Assert.ThrowsAsync<InvalidOperationException>(
            () => kept.Requests!.MoveNext(TestContext.Current.CancellationToken));
        var write = await Assert.ThrowsAsync<InvalidOperationException>(() => WriteAsync(kept, "late"));

        Assert.Equal("Can't read messages after the request is complete.", read.Message);
        Assert.Equal("Can't write the message because the request is complete.", write.Message);
        await AnswerAsync(host);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_WithABufferHint_ComesThoughNothingFollows(bool blocks)
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        var hasCome = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Scene.Script = async act =>
        {
            act.Responses!.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
            await act.Responses.WriteAsync("hinted");
            if (blocks)
            {
                // As badly written code does: the thread that owes the wake-up may be this one.
                Assert.True(hasCome.Task.Wait(TimeLimit.Value, CancellationToken.None));
            }

            await hasCome.Task.InTime();
            return "last";
        };
        using var call = host.Channel.CreateCallInvoker()
            .AsyncDuplexStreamingCall(ScriptedMethods.DuplexStreaming, null, Options());
        await call.RequestStream.CompleteAsync().InTime();

        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        Assert.Equal("hinted", call.ResponseStream.Current);
        hasCome.SetResult();
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        Assert.Equal("last", call.ResponseStream.Current);
        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
    }

    [Theory]
    [InlineData(true, SharedMemoryMode.Direct)]
    [InlineData(false, SharedMemoryMode.Direct)]
    [InlineData(true, SharedMemoryMode.Http2)]
    public async Task UserState_OfACall_SaysWhetherHintedWritesAreSent(bool isNative, SharedMemoryMode mode)
    {
        await using var host = await ScriptedHost.StartAsync(isNative, mode: mode);
        host.Scene.Script = static act =>
        {
            var state = act.Context.UserState;
            return Task.FromResult(
                $"{state.TryGetValue("GrpcShm.SendsHintedWrites", out var value)} {value} "
                + state.ContainsKey("GrpcShm.SendsHintedWrites"));
        };

        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());

        var expected = isNative && mode == SharedMemoryMode.Direct ? "True True False" : "False  False";
        Assert.Contains($"response: {expected}\n", view, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_BehindAMessage_HasTheOthersThatHadCome()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        var haveCome = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Scene.Script = async act =>
        {
            if (act.Requests is null)
            {
                return "first in, first out";
            }

            await haveCome.Task.InTime();
            var hasMoved = await act.Requests.MoveNext(CancellationToken.None);
            return $"{hasMoved} {act.Requests.Current} {await act.CountBodyAsync()}";
        };
        var invoker = host.Channel.CreateCallInvoker();
        using var call = invoker.AsyncClientStreamingCall(ScriptedMethods.ClientStreaming, null, Options());
        foreach (var request in new[] { "one", "two", "three" })
        {
            await call.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken).InTime();
        }

        await call.RequestStream.CompleteAsync().InTime();

        // It goes over the same connection, behind the others.
        await ClientView.MakeAsync(invoker, MethodType.Unary, ["four"], Options());
        haveCome.SetResult();

        Assert.Equal($"True one {(5 + "two".Length) + (5 + "three".Length)}", await call.ResponseAsync.InTime());
    }

    [Fact]
    public async Task Context_KeptBeyondTheCall_ShowsNothingOfTheNextOne()
    {
        ServerCallContext? kept = null;
        await using (var host = await ScriptedHost.StartAsync(isNative: true))
        {
            host.Scene.Script = act =>
            {
                kept ??= act.Context;
                return Task.FromResult("done");
            };
            for (var i = 0; i < 3; i++)
            {
                await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());
            }
        }

        Assert.Throws<ObjectDisposedException>(() => kept!.Method);
        Assert.Throws<ObjectDisposedException>(() => kept!.RequestHeaders);
        Assert.Throws<ObjectDisposedException>(() => kept!.UserState);
        Assert.Throws<ObjectDisposedException>(() => kept!.GetHttpContext());
        Assert.Throws<ObjectDisposedException>(() => kept!.CancellationToken);
    }

    [Fact]
    public async Task Write_KeptBeyondTheCallWithATokenThatHasFired_HarmsNoOtherCall()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        var kept = new List<Act>();
        using var fired = new CancellationTokenSource();
        await fired.CancelAsync();
        host.Scene.Script = act =>
        {
            kept.Add(act);
            return Task.FromResult("done");
        };
        await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.DuplexStreaming, ["one"], Options());
        await host.Scene.WaitForEndAsync();

        // While the object of the call serves none, and while it serves the next one.
        await Assert.ThrowsAnyAsync<Exception>(() => kept[0].Responses!.WriteAsync("late", fired.Token));
        await AnswerAsync(host);
        host.Scene.Script = async act =>
        {
            await Assert.ThrowsAnyAsync<Exception>(() => kept[0].Responses!.WriteAsync("late", fired.Token));
            return string.Join('+', await act.ReadAllAsync()) + act.Context.CancellationToken.IsCancellationRequested;
        };
        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.DuplexStreaming, ["one"], Options());

        Assert.Equal("headers: \nresponse: oneFalse\nstatus: OK ''\ntrailers: \n", view);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HttpContext_KeptBeyondTheCall_ShowsNothingOfTheNextOne(bool hasAccessor)
    {
        await using var host = await ScriptedHost.StartAsync(
            isNative: true,
            services =>
            {
                if (hasAccessor)
                {
                    services.AddHttpContextAccessor();
                }
            });
        HttpContext? http = null;
        ServerCallContext? context = null;
        host.Scene.Script = act =>
        {
            context ??= act.Context;
            http ??= act.Context.GetHttpContext();
            return Task.FromResult("done");
        };
        for (var i = 0; i < 3; i++)
        {
            await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());
            await host.Scene.WaitForEndAsync();
        }

        await TimeLimit.UntilAsync(() => Throws(() => http!.Request.Headers.Count));
        Assert.True(Throws(() => http!.Response.Headers["x"] = "y"));
        Assert.True(Throws(() => context!.GetHttpContext()));
        await AnswerAsync(host);

        static bool Throws(Func<object?> look)
        {
            try
            {
                look();
                return false;
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Items_BehindMiddlewareThatMarksACall_AreThoseOfTheFullPipeline(bool isBehindRouting)
    {
        Assert.Equal(await NoteAsync(isNative: false), await NoteAsync(isNative: true));

        async Task<IEnumerable<string>> NoteAsync(bool isNative)
        {
            await using var host = await ScriptedHost.StartAsync(
                isNative,
                static services => services.AddAuthorization().AddAntiforgery(),
                use: app =>
                {
                    if (isBehindRouting)
                    {
                        app.UseRouting();
                    }

                    app.UseAuthorization();
                    app.UseAntiforgery();
                    if (!isBehindRouting)
                    {
                        app.UseRouting();
                    }
                });
            Assert.Equal(isNative ? 4 : 0, host.NativeMethods);
            host.Scene.Script = static act =>
            {
                var items = act.Context.GetHttpContext().Items;
                act.Note("items: " + string.Join(", ", items.Keys));
                act.Context.UserState["own"] = "mine";
                act.Note($"state: {string.Join(", ", act.Context.UserState.Keys)}, {act.Context.UserState.Count}");
                items.Remove("own");
                act.Note($"then: {string.Join(", ", act.Context.UserState)}");
                return Task.FromResult("done");
            };
            await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());
            await host.Scene.WaitForEndAsync();
            return host.Scene.Notes;
        }
    }

    [Fact]
    public async Task Call_FallbackPolicyIsSetInCode_IsRefusedAsInTheFullPipeline()
    {
        IServiceProvider? services = null;
        await using var host = await ScriptedHost.StartAsync(
            isNative: true,
            static services => services.AddAuthorization(),
            use: app =>
            {
                services = app.Services;
                app.UseAuthorization();
            });
        Assert.Equal(4, host.NativeMethods);
        Assert.Contains("status: OK", await MakeAsync(), StringComparison.Ordinal);

        services!.GetRequiredService<IOptions<AuthorizationOptions>>().Value.FallbackPolicy =
            new AuthorizationPolicyBuilder().RequireAssertion(static _ => false).Build();

        Assert.DoesNotContain("status: OK", await MakeAsync(), StringComparison.Ordinal);

        Task<string> MakeAsync() =>
            ClientView.MakeAsync(host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());
    }

    [Fact]
    public async Task Method_BoundByAnotherProvider_CallsWhatThatHasBound()
    {
        await using var host = await ScriptedHost.StartAsync(
            isNative: true,
            static services => services
                .RemoveAll(typeof(IServiceMethodProvider<>))
                .AddSingleton<IServiceMethodProvider<ScriptedService>, GuardingProvider>());

        Assert.Equal(1, host.NativeMethods);
        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.Unary, ["one"], Options());
        Assert.Contains("PermissionDenied", view, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_LeftBehind_EndsWithTheCall()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        Task<bool>? left = null;
        host.Scene.Script = act =>
        {
            left = act.Requests!.MoveNext(CancellationToken.None);
            return Task.FromResult("done");
        };

        using (var call = host.Channel.CreateCallInvoker().AsyncClientStreamingCall(
            ScriptedMethods.ClientStreaming, null, Options()))
        {
            Assert.Equal("done", await call.ResponseAsync.InTime());
        }

        await host.Scene.WaitForEndAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => left!).InTime();
        await AnswerAsync(host);
    }

    [Fact]
    public async Task Write_WhileAnotherIsUnderWay_IsRefused()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        host.Scene.Script = async act =>
        {
            // Far more than the client takes before it reads.
            var first = act.Responses!.WriteAsync(new string('x', 4_000_000));
            act.Note((await Assert.ThrowsAsync<InvalidOperationException>(() => WriteAsync(act, "2"))).Message);
            act.Note("refused");
            await first;
            return "last";
        };

        using var call = host.Channel.CreateCallInvoker().AsyncServerStreamingCall(
            ScriptedMethods.ServerStreaming, null, Options(), "one");
        await TimeLimit.UntilAsync(() => host.Scene.Notes.Contains("refused"));
        var sizes = new List<int>();
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime())
        {
            sizes.Add(call.ResponseStream.Current.Length);
        }

        Assert.Equal([4_000_000, 4], sizes);
        Assert.Contains(
            "Can't write the message because the previous write is in progress.", host.Scene.Notes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Write_WhoseTokenFires_GivesTheCallUpAsInFull(bool isFiredBefore)
    {
        await CompareAsync(
            async act =>
            {
                using var source = new CancellationTokenSource();
                if (isFiredBefore)
                {
                    await source.CancelAsync();
                }

                var write = act.Responses!.WriteAsync(new string('x', 4_000_000), source.Token);
                await source.CancelAsync();
                act.Note((await Assert.ThrowsAnyAsync<Exception>(() => write)).GetType().Name);
                return "last";
            },
            static async host =>
            {
                using var call = host.Channel.CreateCallInvoker().AsyncServerStreamingCall(
                    ScriptedMethods.ServerStreaming, null, Options(), "one");
                await host.Scene.WaitForEndAsync(begun: 1);
                var failure = await Assert.ThrowsAsync<RpcException>(
                    () => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)).InTime();
                return failure.StatusCode.ToString();
            });
    }

    [Fact]
    public async Task Calls_OneAfterTheOther_HaveNothingOfEachOther()
    {
        await using var host = await ScriptedHost.StartAsync(isNative: true);
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            var type = (MethodType)random.Next(4);
            var name = Scripts.All.Keys.ElementAt(random.Next(Scripts.All.Count));
            host.Scene.Script = Scripts.All[name];
            await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), type, ["one", "two"], Options());
            await AnswerAsync(host);
        }
    }

    // Without a token, which would give the call up.
    private static Task WriteAsync(Act act, string message) =>
        act.Responses!.WriteAsync(message, CancellationToken.None);

    private static async Task AnswerAsync(ScriptedHost host)
    {
        host.Scene.Script = Scripts.All["answers"];
        var view = await ClientView.MakeAsync(
            host.Channel.CreateCallInvoker(), MethodType.DuplexStreaming, ["good", "day"], Options());
        Assert.Equal("headers: \nresponse: good+day\nstatus: OK ''\ntrailers: \n", view);
    }

    private static CallOptions Options(DateTime? deadline = null) =>
        new([], deadline, TestContext.Current.CancellationToken);

    internal static async Task UntilCancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(cancelled.SetResult);
        await cancelled.Task.InTime();
    }

    private static async Task CompareAsync(Func<Act, Task<string>> script, Func<ScriptedHost, Task<string>> play)
    {
        var expected = await RecordAsync(isNative: false, script, play);
        var actual = await RecordAsync(isNative: true, script, play);

        Assert.Equal(expected, actual);
    }

    private static async Task<string> RecordAsync(
        bool isNative, Func<Act, Task<string>> script, Func<ScriptedHost, Task<string>> play)
    {
        await using var host = await ScriptedHost.StartAsync(isNative);
        host.Scene.Script = script;
        var view = await play(host);
        await host.Scene.WaitForEndAsync();
        Assert.Equal(isNative ? 4 : 0, host.NativeMethods);
        Assert.All(host.Scene.Contexts, context => Assert.Equal(isNative, context is NativeCallContext));
        return string.Join('\n', [view, .. host.Scene.Notes, .. host.Log]);
    }

    /// <summary>Binds the generated method to a handler that lets nobody in.</summary>
    private sealed class GuardingProvider : IServiceMethodProvider<ScriptedService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<ScriptedService> context) =>
            context.AddUnaryMethod(
                ScriptedMethods.Unary,
                [],
                static (_, _, _) => throw new RpcException(new Status(StatusCode.PermissionDenied, "")));
    }
}
