using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>A service whose methods all do what a script says.</summary>
internal sealed class ScriptedService(Scene scene, ScopedThing thing) : ScriptedServiceBase
{
    public override Task<string> Unary(string request, ServerCallContext context) =>
        Play(new Act(scene, thing, context, [request], null, null));

    public override Task<string> ClientStreaming(IAsyncStreamReader<string> requests, ServerCallContext context) =>
        Play(new Act(scene, thing, context, null, requests, null));

    public override async Task ServerStreaming(
        string request, IServerStreamWriter<string> responses, ServerCallContext context) =>
        await PlayAsync(new Act(scene, thing, context, [request], null, responses), responses);

    public override async Task DuplexStreaming(
        IAsyncStreamReader<string> requests, IServerStreamWriter<string> responses, ServerCallContext context) =>
        await PlayAsync(new Act(scene, thing, context, null, requests, responses), responses);

    private async Task PlayAsync(Act act, IServerStreamWriter<string> responses)
    {
        if (await Play(act) is { } last)
        {
            await responses.WriteAsync(last);
        }
    }

    private Task<string> Play(Act act)
    {
        scene.Contexts.Enqueue(act.Context);
        return scene.Script(act);
    }
}
