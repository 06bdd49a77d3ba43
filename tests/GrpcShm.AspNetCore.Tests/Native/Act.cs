using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>One call, as its handler sees it, whatever kind it is.</summary>
internal sealed record Act(
    Scene Scene,
    ScopedThing Thing,
    ServerCallContext Context,
    IReadOnlyList<string>? Request,
    IAsyncStreamReader<string>? Requests,
    IServerStreamWriter<string>? Responses)
{
    public void Note(string note) => Scene.Note(note);

    /// <summary>Reads all requests.</summary>
    public async Task<IReadOnlyList<string>> ReadAllAsync()
    {
        if (Request is not null)
        {
            return Request;
        }

        var all = new List<string>();
        while (await Requests!.MoveNext(CancellationToken.None))
        {
            all.Add(Requests.Current);
        }

        return all;
    }
}
