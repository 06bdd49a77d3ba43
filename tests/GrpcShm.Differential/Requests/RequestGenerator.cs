using System.Globalization;
using System.Text;
using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Requests;

/// <summary>
/// Makes requests: valid requests of gRPC, most of them changed in one or two places. The same number and seed always
/// give the same request.
/// </summary>
internal sealed class RequestGenerator
{
    private readonly Random _random;
    private readonly List<Field> _pseudo = [];
    private readonly List<Field> _regular = [];
    private readonly List<byte[]> _body = [];
    private readonly List<int> _splits = [];
    private List<Field>? _trailers;
    private Ending _ending;
    private Reading _reading;
    private bool _isMixed;

    private RequestGenerator(Random random) => _random = random;

    public static GeneratedRequest Make(int seed, long number)
    {
        var generator = new RequestGenerator(
            new Random(unchecked((seed * 1_000_003) ^ (int)(number * 7919) ^ (int)(number >> 32))));
        return generator.Make(number);
    }

    private GeneratedRequest Make(long number)
    {
        MakeValid();
        var changes = _random.Next(100) switch { < 35 => 0, < 75 => 1, < 92 => 2, _ => 4 };
        for (; changes > 0; changes--)
        {
            Change();
        }

        List<Field> fields = [.. _pseudo, .. _regular];
        if (_isMixed)
        {
            var from = _random.Next(fields.Count);
            var moved = fields[from];
            fields.RemoveAt(from);
            fields.Insert(_random.Next(fields.Count + 1), moved);
        }

        return new GeneratedRequest(number, fields, _body, _trailers, _ending, [.. _splits.Order()], _reading);
    }

    private void MakeValid()
    {
        _pseudo.Add(New(":method", "POST"));
        _pseudo.Add(New(":scheme", "http"));
        _pseudo.Add(New(":path", Pick(RequestTexts.GoodPaths)));
        _pseudo.Add(New(":authority", Chance(50) ? "localhost" : Pick(RequestTexts.GoodAuthorities)));
        if (Chance(30))
        {
            Shuffle(_pseudo);
        }

        _regular.Add(New("te", "trailers"));
        _regular.Add(New("content-type", Chance(60) ? "application/grpc" : Pick(RequestTexts.GoodContentTypes)));
        _regular.Add(New("x-case", ""));
        for (var i = _random.Next(6); i > 0; i--)
        {
            _regular.Add(RandomHeader());
        }

        Shuffle(_regular);
        for (var i = Chance(15) ? 0 : _random.Next(1, 4); i > 0; i--)
        {
            var length = _random.Next(20) switch
            {
                0 => _random.Next(16_000),
                1 => 0,
                < 8 => _random.Next(400),
                _ => _random.Next(60),
            };
            var piece = new byte[length];
            _random.NextBytes(piece);
            _body.Add(piece);
        }

        _ending = _random.Next(20) switch { 0 => Ending.Reset, < 4 => Ending.Empty, _ => Ending.WithLast };
        _reading = _random.Next(20) switch
        {
            < 10 => Reading.Pipe,
            < 13 => Reading.Stream,
            13 or 14 => Reading.Nothing,
            15 => Reading.Limited,
            16 => Reading.Synchronously,
            17 => Reading.Once,
            _ => Reading.Beyond,
        };
        if (_ending == Ending.Reset)
        {
            // This piece comes after the part that the application reads, so it is there when the reset comes.
            _reading = Chance(50) ? Reading.Pipe : Reading.Stream;
        }

        if (Chance(10))
        {
            MakeTrailers();
        }

        if (Chance(15))
        {
            AddContentLength(_body.Sum(static b => (long)b.Length).ToString(CultureInfo.InvariantCulture));
        }

        for (var i = Chance(25) ? _random.Next(1, 4) : 0; i > 0; i--)
        {
            _splits.Add(_random.Next(1000));
        }
    }

    private Field RandomHeader()
    {
        var name = Pick(RequestTexts.GoodNames);
        return New(name, Chance(70) ? Pick(RequestTexts.GoodValues) : RandomText(_random.Next(60)));
    }

    private void MakeTrailers()
    {
        _trailers = [];
        for (var i = _random.Next(5); i > 0; i--)
        {
            _trailers.Add(Chance(80) ? RandomHeader() : New(Pick(RequestTexts.BadNames), Pick(RequestTexts.BadValues)));
        }
    }

    private void Change()
    {
        switch (_random.Next(22))
        {
            case 0:
                Replace(":method", Pick(RequestTexts.Methods));
                break;
            case 1:
                Replace(":scheme", Pick(RequestTexts.Schemes));
                break;
            case 2 or 3:
                Replace(":path", Chance(60) ? Pick(RequestTexts.Paths) : RandomPath());
                break;
            case 4 or 5:
                Replace(":authority", Pick(RequestTexts.Authorities));
                break;
            case 6:
                _pseudo.Insert(
                    _random.Next(_pseudo.Count + 1),
                    _pseudo.Count > 0 && Chance(60)
                        ? Pick(_pseudo)
                        : New(Pick(RequestTexts.PseudoNames), Pick(RequestTexts.PseudoValues)));
                break;
            case 7:
                _pseudo.RemoveAt(_random.Next(_pseudo.Count));
                if (_pseudo.Count == 0)
                {
                    _pseudo.Add(New(":method", "GET"));
                }

                break;
            case 8:
                _isMixed = true;
                break;
            case 9:
                Insert(New(
                    Chance(70) ? Pick(RequestTexts.BadNames) : RandomText(_random.Next(8)),
                    Pick(RequestTexts.GoodValues)));
                break;
            case 10 or 11:
                Insert(New(
                    Pick(RequestTexts.GoodNames),
                    Chance(80) ? Pick(RequestTexts.BadValues) : RandomText(_random.Next(40))));
                break;
            case 12:
                var sent = _body.Sum(static b => (long)b.Length);
                AddContentLength(Chance(50)
                    ? Pick(RequestTexts.ContentLengths)
                    : (sent + _random.Next(-2, 3)).ToString(CultureInfo.InvariantCulture));
                break;
            case 13:
                Insert(New(Pick(RequestTexts.ConnectionNames), Pick(RequestTexts.ConnectionValues)));
                break;
            case 14:
                Insert(New("cookie", Pick(RequestTexts.Cookies)));
                Insert(New("cookie", Pick(RequestTexts.Cookies)));
                break;
            case 15:
                Replace("content-type", Pick(RequestTexts.ContentTypes));
                break;
            case 16:
                Replace("te", Pick(RequestTexts.TransferCodings));
                break;
            case 17:
                Insert(New(
                    Pick(RequestTexts.GoodNames),
                    Repeat(
                        Pick(RequestTexts.GoodValues) + "-",
                        _random.Next(4) switch { 0 => 9_000, 1 => 33_000, 2 => 5_000, _ => 1_100 })));
                break;
            case 18:
                var count = _random.Next(4) switch { 0 => 95, 1 => 120, 2 => 90, _ => 20 } + _random.Next(10);
                for (var i = count; i > 0; i--)
                {
                    Insert(Chance(50) ? New("x-twice", "v") : New($"x-{i}", "v"));
                }

                break;
            case 19:
                MakeTrailers();
                break;
            case 20:
                Insert(Pick(_regular));
                break;
            default:
                RemoveOne();
                break;
        }
    }

    private void RemoveOne()
    {
        var i = _random.Next(_regular.Count);
        if (!_regular[i].IsMark)
        {
            _regular.RemoveAt(i);
        }
    }

    private void Insert(Field field)
    {
        if (!field.IsMark)
        {
            _regular.Insert(_random.Next(_regular.Count + 1), field);
        }
    }

    private void AddContentLength(string value) => Insert(New("content-length", value));

    private void Replace(string name, string value)
    {
        var fields = name[0] == ':' ? _pseudo : _regular;
        var i = fields.FindIndex(f => f.NameText == name);
        if (i >= 0)
        {
            fields[i] = New(name, value);
        }
    }

    private string RandomPath()
    {
        var path = new StringBuilder("/");
        for (var i = _random.Next(1, 12); i > 0; i--)
        {
            path.Append(Pick(RequestTexts.PathPieces));
        }

        return path.ToString();
    }

    private string RandomText(int length)
    {
        var text = new StringBuilder(length);
        for (; length > 0; length--)
        {
            text.Append((char)(_random.Next(10) == 0 ? _random.Next(0x180) : _random.Next(0x20, 0x7f)));
        }

        return text.ToString();
    }

    private static string Repeat(string text, int length) =>
        string.Concat(Enumerable.Repeat(text, (length / text.Length) + 1))[..length];

    // Some texts are sent as Latin 1, which their first character decides, so that some bytes are no UTF-8.
    private Field New(string name, string value) => value is ['\u00ff', ..]
        ? new Field(Encoding.UTF8.GetBytes(name), Encoding.Latin1.GetBytes(value), _random.Next(3))
        : new Field(name, value, _random.Next(3));

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    private void Shuffle<T>(List<T> list) =>
        _random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(list));
}
