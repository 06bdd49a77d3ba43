using System.Text;

namespace GrpcShm.Differential.Requests;

/// <summary>Compares the two outcomes of a request, and knows which differences are allowed.</summary>
internal static class RequestComparison
{
    /// <summary>Describes the difference in a line, or returns <see langword="null"/>.</summary>
    public static string? Find(Attempt direct, Attempt kestrel)
    {
        if (DocumentedDifferences.IsBeyondProtocol(direct.Request))
        {
            return null;
        }

        if (direct.Call.IsLost)
        {
            return $"it ended the connection in direct mode ({direct.Call.LostBy})";
        }

        if (!direct.IsOver || !kestrel.IsOver)
        {
            return $"it is not answered {(direct.IsOver ? "by Kestrel" : "in direct mode")}";
        }

        if (Acceptability.HasBadTrailers(direct.Request))
        {
            return direct.Report.Text?.Contains("\ntrailer count: ", StringComparison.Ordinal) ?? false
                ? "direct mode showed trailers that are not allowed"
                : null;
        }

        if (Acceptability.HasWrongLength(direct.Request))
        {
            return direct.Report.Text?.Contains("\nbody: ", StringComparison.Ordinal) ?? false
                ? "direct mode showed the end of a body that is not as long as its content-length says"
                : null;
        }

        return (direct.IsHandled, kestrel.IsHandled) switch
        {
            (true, false) => "direct mode handled what Kestrel refuses",
            (false, true) when !direct.Call.IsRefusal => "direct mode neither handled nor refused it",
            (false, true) when Acceptability.IsAcceptable(direct.Request) => "direct mode refused what Kestrel handles",
            (true, true) when direct.ToString() != kestrel.ToString() =>
                FirstDifference(direct.ToString(), kestrel.ToString()),
            _ => null,
        };
    }

    /// <summary>Both sides in one text, which has their common lines once.</summary>
    public static string Describe(string sent, string direct, string kestrel)
    {
        var (one, other) = (direct.Split('\n'), kestrel.Split('\n'));
        var text = new StringBuilder().Append(sent).Append("  --- the outcome: < in direct mode, > by Kestrel\n");
        for (int i = 0, j = 0; i < one.Length || j < other.Length;)
        {
            if (i < one.Length && j < other.Length && one[i] == other[j])
            {
                text.Append("    ").Append(one[i++]).Append('\n');
                j++;
            }
            else if (i < one.Length && (j == other.Length || Array.IndexOf(other, one[i], j) < 0))
            {
                text.Append("  < ").Append(one[i++]).Append('\n');
            }
            else
            {
                text.Append("  > ").Append(other[j++]).Append('\n');
            }
        }

        return text.ToString();
    }

    public static string FirstDifference(string direct, string kestrel)
    {
        var (one, other) = (direct.Split('\n'), kestrel.Split('\n'));
        var i = 0;
        while (i < one.Length && i < other.Length && one[i] == other[i])
        {
            i++;
        }

        return $"direct mode shows <{one.ElementAtOrDefault(i)}>, Kestrel <{other.ElementAtOrDefault(i)}>";
    }
}
