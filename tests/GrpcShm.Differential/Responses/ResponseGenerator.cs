using static GrpcShm.Differential.Responses.ResponseAction;

namespace GrpcShm.Differential.Responses;

/// <summary>Makes scripts: what a good handler of gRPC does, most of them with something bad in between.</summary>
internal sealed class ResponseGenerator(Random random)
{
    private readonly List<ResponseStep> _steps = [];

    public static ResponseScript Make(int seed, long number)
    {
        var generator = new ResponseGenerator(
            new Random(unchecked((seed * 1_000_033) ^ (int)(number * 7907) ^ 0x5bd1e995)));
        generator.Make();
        return new ResponseScript(number, generator._steps);
    }

    private void Make()
    {
        if (Chance(70))
        {
            _steps.Add(
                new(SetHeader, "content-type", Chance(60) ? "application/grpc" : Pick(ResponseTexts.ContentTypes)));
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            _steps.Add(Header());
        }

        var size = 0;
        for (var i = random.Next(4); i > 0; i--)
        {
            var count = Pick(ResponseTexts.Sizes);
            size += count;
            _steps.Add(new(Pick<ResponseAction>([Write, FillPipe, WritePipe]), Number: count));
            if (Chance(20))
            {
                _steps.Add(new(Pick<ResponseAction>([Flush, FlushPipe])));
            }
        }

        if (Chance(20))
        {
            _steps.Insert(0, new(SetContentLength, Number: Chance(60) ? size : size + random.Next(-2, 3)));
        }

        if (Chance(60))
        {
            _steps.Add(new(AppendTrailer, "grpc-status", Chance(80) ? "0" : "5"));
        }

        for (var i = random.Next(100) switch { < 25 => 0, < 65 => 1, < 85 => 2, _ => 4 }; i > 0; i--)
        {
            _steps.Insert(random.Next(_steps.Count + 1), Change());
        }

        if (Chance(30))
        {
            _steps.Add(new(Observe));
        }

        // Whether trailers still come along behind the completion is a matter of luck, in Kestrel.
        var completion = _steps.FindIndex(static s => s.Action is Complete or CompletePipe or CompletePipeWithError);
        if (completion >= 0)
        {
            for (var i = _steps.Count - 1; i > completion; i--)
            {
                if (_steps[i].Action == AppendTrailer)
                {
                    _steps.RemoveAt(i);
                }
            }
        }
    }

    private ResponseStep Header() =>
        new(
            Pick<ResponseAction>([SetHeader, SetHeader, AppendHeader, AddHeader, SetTwoValues]),
            Pick(ResponseTexts.Names),
            Pick(ResponseTexts.Values));

    private ResponseStep Change() => random.Next(30) switch
    {
        0 or 1 => new(SetStatus, Number: Pick(ResponseTexts.Statuses)),
        2 => new(SetStatus, Number: Pick(ResponseTexts.BadStatuses)),
        3 => new(
            Pick<ResponseAction>([SetHeader, AppendHeader, AddHeader, AppendTrailer]),
            Pick(ResponseTexts.BadNames),
            Pick(ResponseTexts.Values)),
        4 or 5 => new(
            Pick<ResponseAction>([SetHeader, AppendHeader, AddHeader, SetTwoValues]),
            Pick(ResponseTexts.Names),
            Pick(ResponseTexts.BadValues)),
        6 => new(SetHeader, Pick(ResponseTexts.ConnectionNames), Pick(ResponseTexts.Values)),
        7 => new(SetHeader, "content-length", Pick(ResponseTexts.Lengths)),
        8 => new(SetContentLength, Number: Pick(ResponseTexts.Sizes) + random.Next(-1, 2)),
        9 => new(SetReason, Value: Pick(ResponseTexts.Values)),
        10 => new(WriteSynchronously, Number: 3),
        11 => new(Start),
        12 => new(Complete),
        13 => new(Pick<ResponseAction>([CompletePipe, CompletePipeWithError])),
        14 => new(DeclareTrailer, Pick(ResponseTexts.Names)),
        15 or 16 => new(
            AppendTrailer,
            Chance(70) ? Pick(ResponseTexts.Names) : Pick(ResponseTexts.ConnectionNames),
            Pick(ResponseTexts.Values)),
        17 => new(AppendTrailer, Pick(ResponseTexts.Names), Pick(ResponseTexts.BadValues)),
        18 => new(
            OnStarting,
            Chance(80) ? Pick(ResponseTexts.Names) : Pick(ResponseTexts.BadNames),
            Chance(80) ? Pick(ResponseTexts.Values) : Pick(ResponseTexts.BadValues)),
        19 => Chance(50) ? new(OnStartingThrows) : new(OnStartingSetsStatus, Number: Pick(ResponseTexts.Statuses)),
        20 => new(Pick<ResponseAction>([OnCompleted, OnCompletedThrows])),
        21 => Chance(60) ? new(ResponseAction.Reset, Number: Pick(ResponseTexts.ResetCodes)) : new(Abort),
        22 => new(Clear),
        23 => Chance(50) ? new(Redirect, Value: "/elsewhere") : new(DisableBuffering),
        24 => new(RemoveHeader, Pick(ResponseTexts.Names)),
        25 => Chance(60) ? new(Throw, Value: "on purpose")
            : Chance(50) ? new(ThrowCancelled, Value: "on purpose")
            : new(ThrowBadRequest, Value: "on purpose", Number: Pick<int>([400, 413, 431, 408])),
        26 => new(SetHeader, Pick(ResponseTexts.RequestNames), Pick(ResponseTexts.Values)),
        27 => new(AppendTrailer, Pick(ResponseTexts.RequestNames), Pick(ResponseTexts.Values)),
        28 => new(RemoveHeader, Pick<string>(["content-type", "x-text", "date", "server", "content-length"])),
        _ => new(SetHeader, "x-long", new string('x', Pick<int>([100, 5_000, 17_000, 30_000]))),
    };

    private bool Chance(int percent) => random.Next(100) < percent;

    private T Pick<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];
}
