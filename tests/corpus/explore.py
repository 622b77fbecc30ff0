import sys, collections, json
from concurrent.futures import ProcessPoolExecutor
from tests.corpus.families.everything import FAMILIES
from tests.corpus.trial import claims, try_claim, CORRECT
import warnings
def run(args):
    k, seeds = args
    warnings.simplefilter("ignore")
    f = FAMILIES[k]
    out=[]
    for s in seeds:
        for case, claim in claims(f, s):
            try:
                out.append(try_claim(f, s, case, claim))
            except Exception as e:
                print("ERR", f.name, s, claim.mutant, repr(e))
    return out
def main(which, n, start=0):
    ks=[k for k,f in enumerate(FAMILIES) if which=="all" or (which in("tuned","untuned") and f.tuned==(which=="tuned")) or f.name==which]
    with ProcessPoolExecutor(2) as ex:
        res=[t for r in ex.map(run,[(k,range(start,start+n)) for k in ks]) for t in r]
    noisy={f.name:f.noisy for f in FAMILIES}
    cor=[t for t in res if t.mutant==CORRECT]
    fa=[t for t in cor if t.verdict=="wrong" or t.verdict=="refused"]
    inc=[t for t in cor if t.verdict=="inconclusive"]
    incq=[t for t in inc if not noisy[t.family]]
    failing=[t for t in cor if not t.passed]
    print("correct",len(cor),"false alarms",len(fa),"inconclusive",len(inc),"non-noisy",len(incq),"of",sum(not noisy[t.family] for t in cor), "failing",len(failing))
    bad=[t for t in res if t.mutant!=CORRECT and t.error>=0.999e-3]
    inv=[t for t in bad if not t.visible]; print("invisible",len(inv)); bad=[t for t in bad if t.visible]; miss=[t for t in bad if t.verdict=="correct"]
    passes=[t for t in bad if t.passed and t.verdict!="correct"]
    print("wrong",len(bad),"called correct",len(miss),"inconclusive but pass",len(passes), "inconclusive fail", sum(t.verdict=="inconclusive" and not t.passed for t in bad))
    fine=[t for t in res if t.mutant!=CORRECT and 2e-6<=t.error<0.999e-3]
    print("fine wrong",len(fine),"correct",sum(t.verdict=="correct" for t in fine),"inconcl",sum(t.verdict=="inconclusive" for t in fine))
    ent=sum(t.entries for t in res); print("entries",ent,"outside",sum(t.outside for t in res),"overturned",sum(t.overturned for t in res))
    over=[(t.family,t.seed,t.evaluations-2*t.entries) for t in cor if not noisy[t.family] and t.evaluations>2*t.entries+30]
    print("OVERCOST",len(over),collections.Counter(o[0] for o in over),"max",max([o[2] for o in over] or [0]))
    C=collections.Counter
    print("FA",C(t.family for t in fa)); print("INC",C(t.family for t in inc)); print("MISS",C((t.family) for t in miss)); print("MISS",C((t.mutant) for t in miss)); print("PASSES",C(t.family for t in passes))
    print("OUT",C({})+sum((C({t.family:t.outside}) for t in res),C())); print("OVER",sum((C({t.family:t.overturned}) for t in res),C()))
    return res
if __name__=="__main__":
    r=main(sys.argv[1],int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv)>3 else 0)
    for t in r:
        if (t.mutant==CORRECT and t.verdict in("wrong","refused")) or (t.error>=1e-3 and t.visible and t.verdict=="correct") or t.overturned or t.outside: print(t.family,t.seed,t.mutant,"err %.1e"%t.error,t.verdict,"out",t.outside,t.overturned)
