"""What makes review texts untidy: one-word texts, other languages, emoji, and misspellings.

Every bank of opinions has three entries: negative, neutral, positive.
"""

# The full-width punctuation of Chinese and Japanese is meant.
# ruff: noqa: RUF001
from __future__ import annotations

SHORT: tuple[tuple[str, ...], ...] = (
    (
        "Terrible.", "Avoid!", "Nope.", "Awful", "Rude staff", "Never again.", "Overpriced", "Disappointed", "Gross!!",
        "Not good", "Bad service", "Scam", "Worst ever", "Closed.", "👎", "Dirty", "Don't bother", "0/10", "Horrible!",
    ),
    (
        "Ok", "Meh", "Average.", "It's fine", "So so", "Decent", "Not bad, not great", "Alright", "3/5", "Mediocre",
        "Okay I guess", "Hit or miss", "Fine.", "Nothing special", "😐", "Good but pricey", "It was ok.",
        "Could be better",
    ),
    (
        "Great!", "Amazing", "Love it", "Excellent!", "Yum", "Awesome place", "The best!!!", "Perfect", "Good", "Nice",
        "👍", "Wonderful staff", "Highly recommend", "10/10", "Delicious", "Fantastic!", "❤️", "Great service",
        "Superb",
    ),
)  # fmt: skip

# Language by language, so that a text stays in one of them.
FOREIGN: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        (
            "El servicio fue muy lento y nadie nos pidió disculpas.", "No vuelvo nunca más.", "Todo estaba sucio.",
            "Pagamos demasiado por muy poco.", "Una pérdida de tiempo y de dinero.", "La atención fue pésima.",
        ),
        (
            "No está mal, pero tampoco es nada especial.", "Lugar normal, precios normales.", "Regular.",
            "Esperaba un poco más.", "A veces bien, a veces mal.", "Está bien para salir del paso.",
        ),
        (
            "Excelente lugar, muy recomendado.", "La gente es muy amable.", "Volveremos con toda la familia.",
            "Todo estuvo delicioso y limpio.", "Me encantó cada detalle.", "El mejor sitio de la ciudad.",
        ),
    ),
    (
        (
            "Accueil froid et service interminable.", "Je ne reviendrai pas.", "Très déçu par la qualité.",
            "Beaucoup trop cher.", "Personne ne s'est excusé.", "À éviter absolument.",
        ),
        (
            "Correct, sans plus.", "Ni bon ni mauvais.", "Le cadre est joli, le reste est moyen.",
            "On s'attendait à mieux.", "Ça dépanne.", "Rien d'exceptionnel.",
        ),
        (
            "Une très belle découverte !", "Le personnel est adorable.", "Tout était parfait, merci.",
            "Nous reviendrons avec plaisir.", "Rapport qualité-prix excellent.", "Un vrai coup de cœur.",
        ),
    ),
    (
        (
            "Leider sehr enttäuschend.", "Unfreundlich und viel zu teuer.", "Wir kommen nicht wieder.",
            "Fast eine Stunde gewartet, dann gegangen.", "Alles war schmutzig.", "Nicht zu empfehlen.",
        ),
        (
            "Ganz okay, mehr aber auch nicht.", "Durchschnittlich.", "Kann man machen, muss man nicht.",
            "Mal gut, mal schlecht.", "Für den Preis in Ordnung.", "Wir hatten etwas mehr erwartet.",
        ),
        (
            "Wirklich toll, wir kommen gerne wieder!", "Sehr nettes Team.", "Alles sauber und schnell.",
            "Absolute Empfehlung.", "Besser geht es kaum.", "Ein wunderbarer Abend.",
        ),
    ),
    (
        (
            "最悪でした。", "もう行きません。", "店員の態度がとても悪い。", "高いのに質が低い。",
            "一時間も待たされました。",
        ),
        (
            "普通です。", "悪くないけど特別でもない。", "期待したほどではなかった。", "値段相応だと思います。",
            "まあまあかな。",
        ),
        ("とても良かったです！", "また来ます。", "スタッフが親切でした。", "本当におすすめです。", "雰囲気も最高。"),
    ),
    (
        ("服务态度很差。", "再也不会来了。", "又贵又难用。", "等了一个小时没人理。", "非常失望。"),
        ("一般般。", "没什么特别的。", "还可以，不会专门来。", "价格中等，质量中等。", "有好有坏。"),
        ("非常棒，强烈推荐！", "服务员很热情。", "下次还会再来。", "环境干净，价格合理。", "全家都很喜欢。"),
    ),
)  # fmt: skip

# Questions that people open with, by opinion (bad, mixed, good); some of them are asked by anyone
QUESTIONS: tuple[tuple[str, ...], ...] = (
    (
        "What happened here?",
        "How hard can it be?",
        "Are you serious??",
        "Who trains these people?",
        "Does anybody answer the phone?",
        "Where do I start?",
        "Has anyone else had this?",
        "Why so many good reviews?",
    ),
    (
        "Is it worth it?",
        "Where do I start?",
        "Has anyone else had this?",
        "What can I say?",
        "Would I go again?",
        "Maybe it was just the day?",
    ),
    (
        "What can I say?",
        "Where do I start?",
        "Need I say more?",
        "Why did I wait so long?",
        "How did I not know about this before?",
        "Is it worth it?",
        "Would I go again?",
    ),
)

EMOJI: tuple[tuple[str, ...], ...] = (
    ("😡", "👎", "🤮", "😤", "🙄", "💔", "😠", "🚩", "😭", "🤦‍♀️"),
    ("🤷", "😐", "😕", "🤔", "🙃", "😬", "👌"),
    ("😍", "👍", "❤️", "🔥", "😊", "🎉", "⭐⭐⭐⭐⭐", "🙌", "😋", "💯", "🥰", "👏🏽"),
)

MISSPELLINGS: tuple[tuple[str, str], ...] = (
    ("definitely", "definately"),
    ("because", "becuase"),
    ("really", "realy"),
    ("their", "thier"),
    ("recommend", "recomend"),
    ("disappointed", "dissapointed"),
    ("experience", "experiance"),
    ("atmosphere", "atmosphear"),
    ("don't", "dont"),
    ("can't", "cant"),
    ("waited", "waitted"),
    ("friendly", "freindly"),
    ("amazing", "amazeing"),
    ("terrible", "terible"),
    ("excellent", "excelent"),
    (" and ", " n "),
    ("was ", "wuz "),
    ("the ", "teh "),
    (" you ", " u "),
    (" to ", " 2 "),
    (" are ", " r "),
)
